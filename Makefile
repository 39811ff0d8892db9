# For GNU make 3.81 or later, and any POSIX shell. Each target meant for people has its help line after `##`.

# What cargo needs to know about this machine. setup.sh may have changed it.
CARGO = . ./scripts/env.sh && cargo
HEADING = @printf '\n== %s\n'

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run install test check clients examples sdk golden bench faults ha db openapi lint-openapi lint-deploy fuzz docs-picture sbom dist \
	pin-images clean setup-run setup-install setup-test setup-check setup-clients setup-examples setup-lint setup-deploy setup-fuzz setup-ha setup-sbom format lint \
	document dependencies \
	quick-clients quick-examples quick-fuzz

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: setup-run ## Install what is missing, build, and serve with an embedded PostgreSQL until Ctrl-C
	$(HEADING) 'build: minutes the first time, seconds after that'
	@$(CARGO) build --locked -p tenantry-server
	@. ./scripts/env.sh && exec cargo run --quiet --locked -p tenantry-server -- serve

# Cargo prints where it puts the program. It does not always see the PATH of the caller: env.sh and rustup add cargo's own
# directory. So the last line asks whether the caller's shell finds the program.
install: setup-install ## Build a release and install tenantry in cargo's bin directory, or in DIR/bin with PREFIX=DIR
	$(HEADING) 'build: an optimised release, which takes longer than make run'
	@path=$$PATH && $(CARGO) install --path crates/server --locked $(if $(PREFIX),--root '$(PREFIX)') && \
	{ PATH=$$path command -v tenantry >/dev/null || \
	echo 'tenantry is not on your PATH. Add its directory, which cargo printed above after "Installing".'; }

test: setup-test ## Install what is missing, and run every test against a private PostgreSQL
	$(HEADING) 'tests'
	@. ./scripts/env.sh && INSTA_UPDATE=no cargo test --workspace --locked

check: setup-check format dependencies lint document test quick-clients quick-examples quick-fuzz ## Run everything that CI checks: format, dependencies, lints, documents, tests
	@printf '\nAll checks passed. What could not be checked is said above in capitals.\n'

# Flows of generated clients, against the program in debug build.
clients: setup-clients ## Generate clients in TypeScript, Python, Go and Java, and run a flow of each, and of the packages, against the service
	@$(CARGO) build --locked -p tenantry-server
	$(HEADING) 'generated clients'
	@tests/clients/run.sh typescript python sdk go java

# The two that need the least time. Built as the tests are: another build would compile half of the dependencies again.
quick-clients: setup-check
	$(HEADING) 'generated clients: TypeScript and Python, and their packages'
	@$(CARGO) test --quiet --workspace --locked --no-run
	@tests/clients/run.sh typescript python sdk

# Against the program in debug build. The one in Rust is built in target/examples, which takes minutes the first time.
examples: setup-examples ## Run the services in examples/ against the service, as callers, forgers and webhooks would
	@$(CARGO) build --locked -p tenantry-server
	$(HEADING) 'examples'
	@tests/examples/run.sh fastapi express nethttp axum

# Those whose tools are there already, for the generated clients.
quick-examples: setup-check
	$(HEADING) 'examples: FastAPI and Express'
	@$(CARGO) test --quiet --workspace --locked --no-run
	@tests/examples/run.sh fastapi express

sdk: setup-lint ## Pack the clients for TypeScript and Python as an npm tarball and a wheel in target/sdk
	@scripts/sdk.sh

# The names of the tests that compare something with a committed file.
GOLDEN = awk '/^ *(async )?fn / { split($$0, words, /fn |\(/); name = words[2] } /assert_snapshot!|golden\(/ { print name }' \
	$$(find tests/it -name '*.rs') | sort -u

# Snapshots are deleted first, so that none outlives its test.
# openapi.yaml comes last, because it has examples from a golden file.
golden: setup-test ## Rewrite golden files, snapshots and openapi.yaml from the code, and show what changed
	@find tests/it -name '*.snap' -exec rm {} +
	@. ./scripts/env.sh && \
	UPDATE_GOLDEN=1 INSTA_UPDATE=always cargo test --workspace --tests --locked -- golden_file $$($(GOLDEN))
	@$(MAKE) --no-print-directory openapi
	@git add --intent-to-add -- '*.golden.*' '*.snap'
	@git --no-pager diff -- '*.golden.*' '*.snap' openapi.yaml

# Both are built before anything is measured. The benchmark starts the program, too.
bench: setup-run ## Measure the service on this machine; ARGS=--large adds five million workspaces, ARGS='overload …' names parts
	@$(CARGO) build --release --locked -p tenantry-server -p tenantry-tests --bins
	@. ./scripts/env.sh && "$${CARGO_TARGET_DIR:-target}/release/bench" $(ARGS)

# One test at a time: their promises are in seconds. What is skipped says so.
faults: setup-test ## Break the database, the network, the service, receivers and the migrations, for half an hour, and print figures
	@. ./scripts/env.sh && TENANTRY_TEST_RESTARTS=6 cargo test --locked -p tenantry-server --test it -- \
	--nocapture a_rolling_restart_loses_no_request
	@$(CARGO) test --locked -p tenantry-server --test faults -- --nocapture --test-threads=1 --skip failover::

# In the second part, the service of each test reaches its database through PgBouncer.
ha: setup-ha ## Kill the primary of three servers with Patroni five times under load, print figures, and run tests through PgBouncer
	$(HEADING) 'a primary that fails'
	@$(CARGO) test --locked -p tenantry-server --test faults -- --nocapture failover::
	$(HEADING) 'who may do what, and races, through PgBouncer'
	@. ./scripts/env.sh && TENANTRY_TEST_POOLER=1 cargo test --locked -p tenantry-server --test it -- \
	access::matrix:: faults::races:: limits:: limit:: conditional:: idempotency:: usage::

db: setup-run ## Run an empty, migrated PostgreSQL for experiments until Ctrl-C, and print its URLs
	@. ./scripts/env.sh && exec cargo run --quiet --locked --bin test-database

# Written to another file first: a failed build must not leave an empty document.
openapi: setup-run ## Regenerate openapi.yaml after a change of the API
	@$(CARGO) run --quiet --locked --bin tenantry -- openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

docs-picture: setup-test ## Make the README's picture of the documentation page again
	@$(CARGO) build --quiet --locked -p tenantry-server
	@. ./scripts/env.sh && scripts/docs-picture.sh "$${CARGO_TARGET_DIR:-target}/debug/tenantry" docs/images/docs-page.png

lint-openapi: setup-lint ## Run three strict linters over openapi.yaml, which need Node.js and Python
	$(HEADING) 'linters of the OpenAPI document'
	@tests/lint-openapi/run.sh

lint-deploy: setup-deploy ## Build the manifests of deploy/ and compare them with the schemas of Kubernetes, which needs Python
	$(HEADING) 'manifests for operators'
	@tests/lint-deploy/run.sh

sbom: setup-sbom ## Write a software bill of materials (CycloneDX) of the program
	@scripts/sbom.sh

# Paths of this machine do not get into the program, so that another one builds the same. The bill of materials has the commit's time.
dist: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
dist: export CARGO_PROFILE_RELEASE_STRIP = symbols
dist: setup-install sbom ## Pack a stripped release with completions, manual pages, checksums and a bill of materials in target/dist
	$(HEADING) 'build: an optimised release'
	@. ./scripts/env.sh && export RUSTFLAGS="--remap-path-prefix=$$PWD=. --remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}=cargo" \
	&& cargo build --release --locked -p tenantry-server
	@target=$${CARGO_TARGET_DIR:-target} && scripts/dist.sh "$$target/release/tenantry" "$$target/sbom/tenantry.cdx.json" "$$target/dist"

pin-images: ## Look up the digests of the container images, and write them into .env
	@scripts/pin-images.sh

fuzz: setup-fuzz ## Send the service for 20 minutes what a fuzzer makes of openapi.yaml, and hold its answers against the document
	@$(CARGO) build --locked -p tenantry-server
	$(HEADING) 'fuzzing of the API'
	@tests/fuzz/run.sh full

# Built as the tests are, like the service of quick-clients.
quick-fuzz: setup-check
	$(HEADING) 'fuzzing of the API: a fixed seed'
	@$(CARGO) test --quiet --workspace --locked --no-run
	@tests/fuzz/run.sh quick

clean: ## Remove build output; the database in data/ stays
	@$(CARGO) clean

setup-run:
	@scripts/setup.sh run
setup-install:
	@scripts/setup.sh install
setup-test:
	@scripts/setup.sh test
setup-check:
	@scripts/setup.sh check
setup-clients:
	@scripts/setup.sh clients
setup-examples:
	@scripts/setup.sh examples
setup-sbom:
	@scripts/setup.sh sbom
setup-fuzz:
	@scripts/setup.sh fuzz
setup-ha:
	@scripts/setup.sh ha
setup-lint:
	@scripts/setup.sh lint
setup-deploy:
	@scripts/setup.sh deploy

format:
	$(HEADING) 'format'
	@$(CARGO) fmt --all --check

dependencies:
	$(HEADING) 'dependencies: bans, licences, sources'
	@$(CARGO) deny --locked --log-level error check bans licenses sources
	$(HEADING) 'dependencies: advisories'
	@scripts/advisories.sh

lint:
	$(HEADING) 'lints'
	@$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@$(CARGO) clippy -p tenantry-server --test faults --locked -- -D warnings

document:
	$(HEADING) 'documentation of the code'
	@. ./scripts/env.sh && RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --document-private-items
