"""hello-world: prints a greeting and ends.

Upstream: docker-library hello-world
"""

from __future__ import annotations

from k8slab.node.interfaces import Process


async def main(process: Process) -> int:
    """Print and return."""
    process.log("")
    process.log("Hello from Docker!")
    process.log("This message shows that your installation appears to be working correctly.")
    return 0
