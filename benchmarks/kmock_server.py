"""kmock on a port of its own, for bench_gateway: `python -m benchmarks.kmock_server [PODS]`.

Prints the port and serves until its standard input ends. So many Pods are in it from the start, for
each costs it more than the one before. kmock has no Tables, and says how to come by what it has
not: inherit. Runs in the environment of other people's tools, which has kmock.
"""

import asyncio
import sys
from typing import Any

import kmock  # type: ignore[import-not-found,unused-ignore]

from benchmarks.gateway_client import pod

COLUMNS = ("Name", "Ready", "Status", "Restarts", "Age")
WIDE = ("IP", "Node", "Nominated Node", "Readiness Gates")


class Emulator(kmock.KubernetesEmulator):  # type: ignore[misc,unused-ignore]
    """An emulated cluster whose lists of Pods are Tables, for who asks for Tables."""

    async def _serve_list(self, request: Any) -> Any:
        listing = await super()._serve_list(request)
        is_table = "as=Table" in request.headers.get("Accept", "")
        return table(listing) if is_table else listing


def table(pods: dict[str, Any]) -> dict[str, Any]:
    """Return a list of Pods that nobody has placed yet as a Table."""
    columns = [{"name": name, "type": "string", "priority": 0} for name in COLUMNS]
    columns += [{"name": name, "type": "string", "priority": 1} for name in WIDE]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": pods["metadata"],
        "columnDefinitions": columns,
        "rows": [row(pod) for pod in pods["items"]],
    }


def row(pod: dict[str, Any]) -> dict[str, Any]:
    """Return one Pod as a row: what is shown of it, and its metadata."""
    ready = f"0/{len(pod['spec']['containers'])}"
    cells = [pod["metadata"]["name"], ready, "SchedulingGated", 0, "1s", *["<none>"] * len(WIDE)]
    own = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return {"cells": cells, "object": {**own, "metadata": pod["metadata"]}}


async def main(pods: int) -> None:
    """Serve an emulated cluster."""
    emulator = Emulator()
    for number in range(pods):
        made = pod(f"first-{number}")
        emulator.objects["v1/pods", "default", made["metadata"]["name"]] = made
    async with emulator, kmock.Server(emulator) as server:
        print(str(server.url).rstrip("/").rpartition(":")[2], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(*sys.argv[1:] or "0")))
