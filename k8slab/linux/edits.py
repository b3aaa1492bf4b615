"""Telling that somebody has changed rules: who keeps rules true wants to know of others.

Rule of use: `tell` after a change by text or by name; owners that keep their own chains true
replace them without a word.

Upstream: none (the kernel tells by netlink, and kube-proxy looks from time to time)
"""

from __future__ import annotations

from collections.abc import Callable


class Edits:
    """Who wants to hear of changes."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def add(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener after each change; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self) -> None:
        """Call all of them."""
        for listener in tuple(self._listeners):
            listener()
