"""The JavaScript client against a served cluster, where node and the client are installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tools import javascript, peers

HERE = javascript.FOLDER
NODE = shutil.which("node")
CLAIMS = [
    "nodes are listed",
    "a list goes on where it stopped",
    "a deployment becomes available",
    "a merge patch changes one field",
    "a scale is read and written",
    "an informer hears of what comes and goes",
    "a watch goes on from a version",
    "exec has streams and a status",
    "a log is followed to its end",
    "a refusal is a Status",
    "what is not there is not found",
    "a deployment is deleted with what it made",
]


@pytest.fixture(scope="module")
def problems(serve) -> dict[str, str]:
    if NODE is None:
        pytest.skip("node is not installed")
    if not javascript.is_ready():
        pytest.skip(peers.HOW)
    for _, kubectl in serve():
        done = subprocess.run(
            [NODE, "claims.js"],
            cwd=HERE,
            env={**os.environ, **kubectl.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return {line["claim"]: line["problem"] for line in lines}
    raise AssertionError


@pytest.mark.parametrize("claim", CLAIMS)
def test_javascript(problems, claim) -> None:
    assert problems.get(claim, "it was not tried") == ""
