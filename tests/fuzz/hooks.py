"""What Schemathesis cannot be told in its settings."""

import os

import schemathesis
from schemathesis.generation import GenerationMode


# The phase `coverage` knows no valid value for a header whose pattern asks for more than letters and digits. It then sends a wrong one,
# such as `0`, and takes it for valid.
@schemathesis.hook
def map_case(context, case):
    if case.meta and case.meta.generation.mode == GenerationMode.POSITIVE:
        for name in ("If-Match", "If-None-Match"):
            tags = (case.headers or {}).get(name)
            if tags is not None and tags != "*" and '"' not in tags:
                case.headers[name] = '"3"'
    return case


# A run that revokes or rotates its own key goes on without one, and every answer is a 401.
@schemathesis.hook
def before_call(context, case, kwargs):
    if str((case.path_parameters or {}).get("apiKeyId")).lower() == os.environ.get("FUZZ_OWN_KEY"):
        case.path_parameters["apiKeyId"] = "00000000-0000-0000-0000-000000000000"
