"""schemathesis makes requests after our OpenAPI; none finds a defect, whatever they say."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import peers

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PYTHON = peers.python()
# Answers that end: watches and followed logs have their own tests.
CONFIGURATION = """
[parameters]
"path.namespace" = "default"
"query.watch" = false
"query.follow" = false
"""
# Not asked: whether a code or a type is documented, for upstream's documents name the codes of
# success and 401, and for logs the type of success.
CHECKS = (
    "refused_as_upstream_would",
    "response_headers_conformance",
    "response_schema_conformance",
)
SETTINGS = (
    *("--checks", ",".join(CHECKS), "--phases", "fuzzing", "--seed", "1"),
    *("--request-timeout", "30", "--no-shrink", "--generation-database", "none"),
)
# Version 2 is one document with every operation there is, version 3 one for each group.
DOCUMENTS = {"openapi/v2": 2, "openapi/v3/apis/apps/v1": 3}  # and requests for each operation


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where `python -m k8slab serve` serves a cluster with something of every kind."""
    words = ("-m", "k8slab", "serve", "--workers", "1", "--speed", "max", "--manifests")
    command = [sys.executable, *words, str(HERE / "everything.yaml")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(3)]
        yield lines[-1].removeprefix("# ").strip()
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


@pytest.mark.skipif(PYTHON is None, reason=peers.HOW)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_request_finds_a_defect(document: str, url: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    hooks = {"SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"), "K8SLAB_URL": url}
    few = ("--max-examples", str(DOCUMENTS[document]))
    done = subprocess.run(
        [PYTHON.parent / "st", "run", f"{url}/{document}", "--url", url, *few, *SETTINGS],
        cwd=tmp_path,
        env={**os.environ, **hooks},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    tried = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert tried is not None, done.stdout[-2000:]
    assert int(tried[1]) == int(tried[2]) > 100
