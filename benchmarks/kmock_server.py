"""kmock on a port of its own, for bench_gateway: `python -m benchmarks.kmock_server`.

Prints the port and serves until its standard input ends. Runs in the environment of other people's
tools, which has kmock.
"""

import asyncio
import sys

import kmock  # type: ignore[import-not-found,unused-ignore]


async def main() -> None:
    """Serve an emulated cluster."""
    emulator = kmock.KubernetesEmulator()
    async with emulator, kmock.Server(emulator) as server:
        print(str(server.url).rstrip("/").rpartition(":")[2], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
