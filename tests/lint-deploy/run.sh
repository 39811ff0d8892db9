#!/bin/sh
# Builds the manifests of deploy/kustomize and compares every object with the schema of Kubernetes; checks the alert rules and the unit
# where the tools for that are. What could not be checked is said in capitals.
set -eu
cd "$(dirname "$0")/../.."
config=tests/lint-deploy
tools=target/lint-deploy
mkdir -p $tools
failed=

if ! cmp -s $config/requirements.txt $tools/requirements.txt; then
    python3 -m venv $tools/python
    $tools/python/bin/pip install --quiet --disable-pip-version-check --requirement $config/requirements.txt
    cp $config/requirements.txt $tools/requirements.txt
fi

if command -v kustomize >/dev/null; then
    build() { kustomize build "$1"; }
elif kubectl version --client >/dev/null 2>&1; then
    build() { kubectl kustomize "$1"; }
else
    build() { return 127; }
fi
for directory in base migrate example; do
    built=$tools/$directory.yaml
    status=0
    build deploy/kustomize/$directory >$built 2>$tools/said || status=$?
    if [ $status = 127 ]; then
        echo 'NOT CHECKED: THE MANIFESTS. There is neither kustomize nor kubectl on this machine.'
        break
    elif [ $status != 0 ]; then
        cat $tools/said
        failed=1
    elif $tools/python/bin/kubernetes-validate --strict --quiet "$built" >$tools/said 2>&1; then
        echo "checked deploy/kustomize/$directory: $(grep -c '^kind:' $built) objects"
    else
        cat $tools/said
        failed=1
    fi
done

if command -v promtool >/dev/null; then
    promtool check rules deploy/prometheus/alerts.yaml || failed=1
else
    echo 'NOT CHECKED: THE ALERT RULES BY promtool. It is not on this machine. The tests parse each expression.'
fi
if ! command -v systemd-analyze >/dev/null; then
    echo 'NOT CHECKED: THE SYSTEMD UNIT. There is no systemd-analyze on this machine. Where there is one, the tests use it.'
fi
[ -z "$failed" ]
