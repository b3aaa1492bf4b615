"""Chunks on their way from the simulation to one socket.

The simulation puts, from whichever thread moves it; the server's thread takes. A reader that is
too slow is cut off: it will list and watch again, as with a real API server.

Rule of use: `put` never waits; iterate in the server's thread.

Upstream: none (staging/src/k8s.io/apiserver/pkg/storage/cacher ends slow watchers too)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

MAX_WAITING = 64 * 1024 * 1024  # bytes that a slow reader may leave lying


class Outbox:
    """Bytes that wait to be sent."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting = bytearray()
        self._news = asyncio.Event()
        self._closed = False
        self._told = False

    def put(self, chunk: bytes) -> None:
        """Add a chunk; dropped if the outbox is closed."""
        if self._closed:
            return
        self._waiting += chunk
        if len(self._waiting) > MAX_WAITING:
            self._closed = True
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._news.set)

    def close(self) -> None:
        """End the iteration once all has been sent; in the server's thread."""
        self._closed = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await self._news.wait()
            self._news.clear()
            self._told = False
            chunk, self._waiting = bytes(self._waiting), bytearray()
            if chunk:
                yield chunk
            elif self._closed:
                return
            if self._closed and not self._waiting:
                return
