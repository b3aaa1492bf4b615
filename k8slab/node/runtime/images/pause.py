"""registry.k8s.io/pause: sleeps until it is told to stop.

Upstream: build/pause/linux/pause.c
"""

from __future__ import annotations

from k8slab.node.interfaces import Process


async def main(process: Process) -> int:
    """Hold the Pod's namespaces open."""
    process.handle_sigterm()
    await process.terminated.wait()
    process.error("Shutting down, got signal: Terminated")
    return 0
