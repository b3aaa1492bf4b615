"""Images: each is a program, and the registry is where they come from.

Write your own: a coroutine that is given its Process, under a name.

    @registry.image("example.com/greeter:v1", size=12_000_000, ports=(8080,))
    async def greeter(process: Process) -> int:
        await process.sleep(2)                      # a slow start
        process.memory = 64 * 2**20                 # bytes; above the limit it is OOMKilled
        serve_http(process, 8080, lambda request: http.text(f"hello from {process.hostname}"))
        return await process.until_sigterm()        # without this line SIGTERM ends it with 143

What it returns is the exit code; an exception is exit code 1, with its traceback in the log.

Rule of use: `shipped.py` lists what the lab brings, one small module for each.

Upstream: opencontainers/image-spec, opencontainers/distribution-spec
"""

from k8slab.node.image_reference import Reference, parse_reference
from k8slab.node.runtime.images.image import Image
from k8slab.node.runtime.images.registry import ImageRegistry

__all__ = ["Image", "ImageRegistry", "Reference", "parse_reference"]
