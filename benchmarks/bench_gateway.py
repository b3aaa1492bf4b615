"""The API over HTTP: a long list as a table, single gets, creates, many watchers of one change.

Beside the lab stands kmock, a fake API server in Python, from the environment of other people's
tools. It has no tables, so lists beside it are plain; and it slows down with every object, so that
they are short. Server and client are processes of their own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row
from k8slab import Cluster
from tools import peers

PODS, WATCHERS = 5_000, 1_000
FEW = 200  # Pods for the peer, whose creates take longer the more there are
Figures = dict[str, float]


def rows() -> Iterator[Row]:
    """Measure the lab beside its peer, if it is there, and then the lab alone with more in it."""
    few = FEW, 0
    ours = of_the_lab("list", *few)
    python = peers.make_if_possible()
    theirs = of_kmock(python, *few) if python is not None else {}
    yield from _rows(ours, theirs)
    if not theirs:
        yield Row(f"(no peer without `{peers.HOW}`)", 0, "")
    yield from _rows(of_the_lab("table", PODS, WATCHERS), {})


def _rows(ours: Figures, theirs: Figures) -> Iterator[Row]:
    for title, value in ours.items():
        name, _, unit = title.rpartition(", ")
        yield Row(name, value, unit, "kmock" if theirs else "", theirs.get(title))


def of_the_lab(form: str, pods: int, watchers: int) -> Figures:
    """Serve a cluster of one node, ten times as fast as the clock, and measure."""
    cluster = Cluster(workers=1, seed=1)
    with cluster.serve(speed=10.0) as url:
        return measured(int(url.rpartition(":")[2]), form, pods, watchers)


def of_kmock(python: Path, pods: int, watchers: int) -> Figures:
    """Run kmock with the Python that has it, and measure."""
    command = [str(python), "-m", "benchmarks.kmock_server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            return measured(int(server.stdout.readline()), "list", pods, watchers)
        finally:
            server.stdin.close()  # which ends it


def measured(port: int, form: str, pods: int, watchers: int) -> Figures:
    """Return what a client in another process measures of a server on a port."""
    words = [sys.executable, "-m", "benchmarks.gateway_client", str(port), form, str(pods)]
    done = subprocess.run([*words, str(watchers)], capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures
