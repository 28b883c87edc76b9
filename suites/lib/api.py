"""The API against its own document: schemathesis asks what the document allows and what it does not."""

import pathlib
import random
import re
import subprocess
import sys

from ports import free_ports
from relay import Relay

BINARY, FOLDER = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
SEED = random.randrange(1 << 31)
# of an operation, each time
EXAMPLES = 30
# What is refused may be refused for what the document cannot say: a name that exists, a domain without a dot. And what
# it forbids may all the same be taken: a query with a parameter that means nothing to JSON.
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "negative_data_rejection", "unsupported_method", "ignored_auth", "missing_required_header", "use_after_free",
    "ensure_resource_availability", "allow_header_conformance",
]
# A backup makes any folder that is named, wherever that is.
NEVER = ["Backup"]
# How each key is made.
KEYS = {
    "operator": ["--everything"],
    "administrator of an account": ["--account", "1", "--everything"],
    "a key that may next to nothing": ["--account", "1", "--may", "submit", "--read-only"],
}


def try_with(name, relay, port, arguments):
    """Whether all was as the document says, asked with a key made like this."""
    key = relay.command("api-key", "add", "--name", name, *arguments)["secret"]
    url = f"http://127.0.0.1:{port}/api/v1/openapi.json"
    command = [
        pathlib.Path(sys.executable).with_name("schemathesis"), "run", url, "--header", f"Authorization: Bearer {key}",
        "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES),
        "--seed", str(SEED), "--generation-database", "none", "--no-color", "--continue-on-failure",
    ]
    for operation in NEVER:
        command += ["--exclude-operation-id", operation]
    done = subprocess.run(command, cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    log = relay.log_file().read_text(errors="replace")
    panicked = [line for line in log.splitlines() if "panicked" in line]
    if done.returncode or panicked:
        print(f"FAILED: {name}\n{done.stdout[-20000:]}\n{done.stderr[-2000:]}\n" + "\n".join(panicked))
        return False
    (cases,) = [line.strip() for line in done.stdout.splitlines() if re.match(r"\s+\d+ generated", line)]
    print(f"ok: {name}: {cases}")
    return True


def main():
    print(f"seed {SEED}")
    (port,) = free_ports(1)
    settings = f'[api]\nlisten = ["127.0.0.1:{port}"]\n[limits]\napi_requests_per_minute = 0\n'
    relay = Relay(BINARY, FOLDER, 9, settings=settings)
    try:
        results = [try_with(name, relay, port, arguments) for name, arguments in KEYS.items()]
    finally:
        relay.stop()
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
