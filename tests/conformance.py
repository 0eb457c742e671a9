"""schemathesis against a running server: `python -m tests.conformance --host 127.0.0.1:8000 --token TOKEN`.

It reads the schema and sends documents for each field of Query and Mutation. Its own checks know no
difference between an error that a client has earned, such as a page of two billion, and one of the
server's; the check used instead says what is promised here.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import schemathesis

# The codes that whoever sends made-up documents has earned.
EARNED = {
    "BAD_USER_INPUT",
    "FORBIDDEN",
    "GRAPHQL_PARSE_FAILED",  # a lone surrogate in a string
    "GRAPHQL_VALIDATION_FAILED",  # an integer that does not fit
    "OPERATION_TOO_COMPLEX",
    "RATE_LIMITED",
    "UNAUTHENTICATED",
}


@schemathesis.check
def answers_as_promised(_: Any, response: Any, case: Any) -> None:
    """No failure of the server's own, JSON always, known codes, and no mutation whose answer is lost."""
    assert response.status_code < 500, response.text
    assert response.headers["content-type"] == ["application/json; charset=utf-8"]
    answer = response.json()
    errors = answer.get("errors", [])
    codes = {error["extensions"]["code"] for error in errors}
    assert codes <= EARNED, answer
    assert "data" in answer or errors, answer
    lost = answer.get("data", {}) is None and any(len(error.get("path", ())) > 1 for error in errors)
    assert not (lost and case.operation.label.startswith("Mutation.")), answer


def run(host: str, token: str | None, *, examples: int, number: int, fields: str = ".") -> dict[str, Any]:
    """Run schemathesis on the fields that match; returns its figures. Raises when it found something, with what it printed."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.json"
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run", f"http://{host}/graphql"),
                *(() if token is None else ("--header", f"Authorization: Bearer {token}")),
                *("--checks", "answers_as_promised", "--max-examples", str(examples), "--seed", str(number)),
                *("--include-name-regex", fields),
                *("--no-color", "--no-shrink", "--generation-database", "none", "--continue-on-failure"),
                *("--suppress-health-check", "all", "--report", "json", "--report-json-path", report),
            ],
            cwd=name,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parent.parent),
                "SCHEMATHESIS_HOOKS": "tests.conformance",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(done.stdout)
        found = json.loads(report.read_text(encoding="utf-8"))
        return {
            "seed": number,
            "fields": found["operations"]["tested"],
            "documents": found["test_cases"]["generated"],
            "seconds": round(found["running_time"], 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--host", default=os.environ.get("GRAPHQL_HOST", "127.0.0.1:8000"), help="host:port")
    parser.add_argument("--token", default=os.environ.get("GRAPHQL_TOKEN"), help="bearer token of a user")
    parser.add_argument("--examples", type=int, default=100, help="documents for each field")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args()
    figures = run(given.host, given.token, examples=given.examples, number=given.seed)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
