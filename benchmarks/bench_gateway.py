"""The API over HTTP: creates, many watchers of one change, a long list as a table, single gets.

Beside the lab stands kmock, a fake API server in Python, from the environment of other people's
tools. Each is asked the same by the same client; servers and client are processes of their own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gateway_client import PODS
from benchmarks.measure import Row
from k8slab import Cluster
from tools import peers

Figures = dict[str, float]


def rows() -> Iterator[Row]:
    """Measure the lab, and its peer if it is there."""
    python = peers.make_if_possible()
    ours = of_the_lab()
    theirs = of_kmock(python) if python is not None else {}
    for title, value in ours.items():
        name, _, unit = title.rpartition(", ")
        yield Row(name, value, unit, "kmock" if theirs else "", theirs.get(title))
    if not theirs:
        yield Row(f"(no peer without `{peers.HOW}`)", 0, "")


def of_the_lab() -> Figures:
    """Serve a cluster of one node, ten times as fast as the clock, and measure."""
    cluster = Cluster(workers=1, seed=1)
    with cluster.serve(speed=10.0) as url:
        port = url.rpartition(":")[2]
        return {**measured(port, "writes"), **measured(port, "fill"), **measured(port, "reads")}


def of_kmock(python: Path) -> Figures:
    """Run kmock with the Python that has it, empty and then with many Pods, and measure."""
    return {**beside(python, "writes", 0), **beside(python, "reads", PODS)}


def beside(python: Path, part: str, pods: int) -> Figures:
    """Measure one part of a kmock that has so many Pods."""
    command = [str(python), "-m", "benchmarks.kmock_server", str(pods)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            return measured(server.stdout.readline().strip(), part)
        finally:
            server.stdin.close()  # which ends it


def measured(port: str, part: str) -> Figures:
    """Return what a client in another process measures of a server on a port."""
    words = [sys.executable, "-m", "benchmarks.gateway_client", port, part]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures
