"""The API over HTTP: a long list as a table, single gets, creates, many watchers of one change.

Beside the lab stands kmock, a fake API server in Python, where it is installed (`pip install kmock
pytest-asyncio` beside the course's packages). It has no tables, so lists beside it are plain;
and it slows down with every object, so that they are short. The client is a process of its own.
"""

import asyncio
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Row
from k8slab import Cluster

PODS, WATCHERS = 5_000, 1_000
FEW = 200  # Pods for the peer, whose creates take longer the more there are
Figures = dict[str, float]


def rows() -> Iterator[Row]:
    """Measure the lab beside its peer, if it is there, and then the lab alone with more in it."""
    few = FEW, 0
    ours = of_the_lab("list", *few)
    theirs = of_kmock(*few) if importlib.util.find_spec("kmock") is not None else {}
    yield from _rows(ours, theirs)
    if not theirs:
        yield Row("(kmock is not installed: no peer)", 0, "")
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


def of_kmock(pods: int, watchers: int) -> Figures:
    """Run kmock in a thread of its own, and measure."""
    started: list[Any] = []
    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_kmock(started, ready)), daemon=True)
    thread.start()
    ready.wait(20)
    loop, stop, port = started
    try:
        return measured(port, "list", pods, watchers)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


async def _kmock(started: list[Any], ready: threading.Event) -> None:
    import kmock  # type: ignore[import-not-found,unused-ignore]

    emulator = kmock.KubernetesEmulator()
    async with emulator, kmock.Server(emulator) as server:
        stop = asyncio.Event()
        port = int(str(server.url).rstrip("/").rpartition(":")[2])
        started += [asyncio.get_running_loop(), stop, port]
        ready.set()
        await stop.wait()


def measured(port: int, form: str, pods: int, watchers: int) -> Figures:
    """Return what a client in another process measures of a server on a port."""
    words = [sys.executable, "-m", "benchmarks.gateway_client", str(port), form, str(pods)]
    done = subprocess.run([*words, str(watchers)], capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures
