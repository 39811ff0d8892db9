"""Tries each example as a caller, a forger and Tenantry itself would. Called by run.sh, which says in the environment where what is."""

import base64
import hashlib
import hmac
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TENANTRY, OWNER = os.environ["TENANTRY_URL"], os.environ["TENANTRY_KEY"]
# A bound for what hangs. Nothing here says how fast something is.
PATIENCE = 60


def send(method, url, key=None, body=None, headers=None):
    """The status, the headers and the body of the answer."""
    headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def tenantry(method, path, body=None, key=OWNER):
    status, _, answer = send(method, TENANTRY + path, key, None if body is None else json.dumps(body).encode())
    assert status < 300, (method, path, status, answer)
    return json.loads(answer) if answer else None


def same(what, found, wanted):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


class Example:
    """An example that runs, with its own webhook."""

    def __init__(self, name):
        self.name = name
        hook = {"url": "http://127.0.0.1:9/webhooks", "events": ["workspace.create"]}
        made = tenantry("POST", "/api/webhooks", hook)
        self.hook, self.secret = f"/api/webhooks/{made['id']}", made["secret"]
        directory = Path("target/examples", name)
        readme = (directory / "README.md").read_text()
        *prepare, start = re.search(r"```sh\n(.*?)```", readme, re.S)[1].strip().splitlines()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_KEY")},
            "TENANTRY_SERVICE_KEY": os.environ["SERVICE_KEY"],
            "WEBHOOK_SECRET": self.secret,
            "PORT": "0",
        }
        if prepare:
            subprocess.run(["sh", "-ec", "\n".join(prepare)], cwd=directory, env=environment, check=True, stdout=sys.stderr)
        # In a session of its own, because cargo and npm start the program as a child.
        self.process = subprocess.Popen(
            start, shell=True, cwd=directory, env=environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.lines, self.log = queue.Queue(), []
        threading.Thread(target=self.read, daemon=True).start()
        # A compiler may need a while.
        self.base = self.until(r"http://127\.0\.0\.1:[1-9]\d*", 1800)

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def until(self, pattern, patience=PATIENCE):
        """What the next line has that has this."""
        while True:
            try:
                line = self.lines.get(timeout=patience)
            except queue.Empty:
                raise AssertionError(f"{self.name} does not say {pattern}") from None
            assert line is not None, f"{self.name} has ended:\n{''.join(self.log)}"
            self.log.append(line)
            if found := re.search(pattern, line):
                return found[0]

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()

    def ask(self, workspace, key=None, headers=None):
        return send("GET", f"{self.base}/workspaces/{workspace}/conversations", key, headers=headers)

    def count(self, word, event):
        return sum(f"{word} workspace.create {event}" in line for line in self.log)

    def guards(self, home, foreign):
        """The guarded route answers as the introspection says."""
        scopes = ["workspaces:read", "conversations:read"]
        reader = tenantry("POST", "/api/api-keys", {"name": f"Reader, {self.name}", "scopes": scopes})
        powerless = tenantry("POST", "/api/api-keys", {"name": f"Powerless, {self.name}", "scopes": scopes[:1]})
        status, _, body = self.ask(home["id"], reader["secret"])
        same("who may", status, 200)
        said = json.loads(body)
        same("the answer", (said["tenantId"], said["workspaceId"]), (home["tenantId"], home["id"]))
        same("who may not", self.ask(home["id"], powerless["secret"])[0], 403)
        for what, workspace in [("foreign", foreign["id"]), ("never used", uuid.uuid4()), ("malformed", "x")]:
            same(f"a workspace that is {what}", self.ask(workspace, reader["secret"])[0], 404)
        unknown = reader["secret"][:-1] + ("x" if reader["secret"][-1] != "x" else "y")
        for what, headers in [
            ("no credential", {}),
            ("an unknown key", {"Authorization": f"Bearer {unknown}"}),
            ("nothing behind the scheme", {"Authorization": "Bearer"}),
            ("another scheme", {"Authorization": f"Basic {reader['secret']}"}),
        ]:
            status, told, _ = self.ask(home["id"], headers=headers)
            same(what, (status, told["WWW-Authenticate"]), (401, "Bearer"))
        tenantry("DELETE", f"/api/api-keys/{reader['id']}")
        same("a revoked key, at the next request", self.ask(home["id"], reader["secret"])[0], 401)

    def receives(self):
        """What Tenantry sends arrives once, and what somebody else sends does not."""
        tenantry("PATCH", self.hook, {"url": f"{self.base}/webhooks"})
        tenantry("POST", "/api/workspaces", {"name": f"Told to {self.name}"})
        event = self.until(r"received workspace\.create \S+").split(" ")[-1]
        self.delivered(event)
        tenantry("POST", f"{self.hook}/deliveries/{event}/resend")
        self.until(f"again workspace.create {event}")
        same("the event that came twice", (self.count("received", event), self.count("again", event)), (1, 1))

        post = lambda headers, body: send("POST", f"{self.base}/webhooks", None, body, headers)[0]
        now = int(time.time())
        for what, headers, body in self.forged(now):
            same(what, post(headers, body), 400)
        # The control: only what was changed made them bad. And of many at once, one is the first.
        event = str(uuid.uuid4())
        body = self.event(event)
        with ThreadPoolExecutor(10) as threads:
            many = threads.map(lambda _: post(self.signed(event, now, body), body), range(10))
            same("the control", set(many), {204})
        while self.count("received", event) + self.count("again", event) < 10:
            self.until("workspace.create")
        same("the one that came ten times at once", self.count("received", event), 1)

    def delivered(self, event):
        """Waits until Tenantry has heard that it arrived. Before, it cannot be sent again."""
        until = time.monotonic() + PATIENCE
        while tenantry("GET", f"{self.hook}/deliveries/{event}")["state"] != "delivered":
            assert time.monotonic() < until, f"{event} is not delivered"

    def event(self, event):
        return json.dumps({"id": event, "type": "workspace.create", "data": {}}).encode()

    def signed(self, event, at, body, secret=None):
        key = base64.b64decode((secret or self.secret).removeprefix("whsec_"))
        mac = hmac.new(key, f"{event}.{at}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        return {"webhook-id": event, "webhook-timestamp": str(at), "webhook-signature": signature}

    def forged(self, now):
        event = str(uuid.uuid4())
        body = self.event(event)
        good = self.signed(event, now, body)
        other = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
        yield "no signature", {}, body
        yield "another secret", self.signed(event, now, body, other), body
        yield "another body", good, body.replace(b"create", b"delete")
        yield "another id", {**good, "webhook-id": str(uuid.uuid4())}, body
        yield "another time", {**good, "webhook-timestamp": str(now + 1)}, body
        yield "an old one", self.signed(event, now - 600, body), body
        yield "one of the future", self.signed(event, now + 600, body), body
        for signature in ["v1", "v1,", "v1,!!!", "nothing", "v2," + good["webhook-signature"][3:]]:
            yield f"the signature {signature}", {**good, "webhook-signature": signature}, body
        yield "a time that is none", {**good, "webhook-timestamp": "now"}, body

    def unavailable(self, why, home):
        status, headers, body = self.ask(home["id"], OWNER)
        same(why, status, 503)
        assert headers["Retry-After"] and b"Try again" in body, (why, body)


def main(names):
    home = tenantry("POST", "/api/workspaces", {"name": "Examples"})
    other = tenantry("POST", "/api/admin/tenants", {"name": "Other", "country": "DE"}, os.environ["PLATFORM_KEY"])
    foreign = tenantry("POST", "/api/workspaces", {"name": "Foreign"}, other["apiKey"])
    examples, service = [], int(os.environ["SERVICE_PID"])
    try:
        for name in names:
            example = Example(name)
            examples.append(example)
            example.guards(home, foreign)
            example.receives()
            print(f"examples: {name} guards and receives", file=sys.stderr)
        os.kill(service, signal.SIGSTOP)
        try:
            for example in examples:
                example.unavailable("Tenantry that does not answer", home)
        finally:
            os.kill(service, signal.SIGCONT)
        for example in examples:
            same("Tenantry that answers again", example.ask(home["id"], OWNER)[0], 200)
        os.kill(service, signal.SIGTERM)
        # It is gone when nobody takes connections any more.
        try:
            while send("GET", f"{TENANTRY}/healthz"):
                pass
        except (urllib.error.URLError, OSError):
            pass
        for example in examples:
            example.unavailable("Tenantry that is away", home)
    except AssertionError as error:
        example = examples[-1] if examples else None
        sys.exit(f"examples: {error}\n" + (f"the log of {example.name}:\n{''.join(example.log)}" if example else ""))
    finally:
        for example in examples:
            example.stop()


main(sys.argv[1:])
