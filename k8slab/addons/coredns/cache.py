"""The cache plugin: answers are kept for their TTL, at most for what the Corefile allows.

    cache 30                                   at most 30 s, whatever the TTL says
    disable success cluster.local              names of the cluster are always asked anew

What does not exist is remembered too, for as long as the SOA record in the answer says; a failure
for five seconds.

Rule of use: time is virtual; an entry that is over is dropped when somebody asks for it.

Upstream: coredns plugin/cache
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.names import is_in
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, SERVFAIL, Answer, Record

MAX_TTL, MAX_DENIAL_TTL = 3600, 1800  # s, plugin/cache maxTTL and maxNTTL
MIN_TTL = 5  # s, plugin/cache minTTL and minNTTL
CAPACITY = 9984  # entries of each kind, plugin/cache defaultCap


class Entry(msgspec.Struct, frozen=True):
    """An answer and when it came (virtual seconds)."""

    answer: Answer
    stored: float
    ttl: int  # s


class Cache:
    """Answers by name and type."""

    def __init__(self, plugin: Plugin, now: Callable[[], float]) -> None:
        self._now = now
        limit = int(plugin.args[0]) if plugin.args and plugin.args[0].isdigit() else MAX_TTL
        self._limits = {"success": limit, "denial": min(limit, MAX_DENIAL_TTL)}
        self._disabled: dict[str, tuple[str, ...]] = {"success": (), "denial": ()}
        for name, *values in plugin.properties:
            if name in self._limits and len(values) > 1:
                self._limits[name] = int(values[1])
            elif name == "disable" and values:
                zones = tuple(zone.rstrip(".") + "." for zone in values[1:]) or (".",)
                self._disabled[values[0]] = zones
        self._entries: dict[tuple[str, str], Entry] = {}

    def get(self, name: str, qtype: str) -> Answer | None:
        """Return the answer with what is left of its TTLs, None if it must be asked for."""
        entry = self._entries.get((name, qtype))
        if entry is None:
            return None
        age = int(self._now() - entry.stored)
        if age >= entry.ttl:
            del self._entries[name, qtype]
            return None
        return _capped(entry.answer, entry.ttl - age)

    def put(self, name: str, qtype: str, answer: Answer) -> Answer:
        """Keep the answer if it may be kept; returns it as it goes out.

        Its TTLs are limited even for the first who asks: the next one would see them drop.
        """
        kind = "success" if answer.answers else "denial"
        if answer.rcode not in (NOERROR, NXDOMAIN, SERVFAIL):
            return answer
        records = answer.answers or answer.authority
        shortest = min((record.ttl for record in records), default=MIN_TTL)
        ttl = min(max(shortest, MIN_TTL), self._limits[kind])
        if not self._is_disabled(kind, name):
            if len(self._entries) >= CAPACITY:
                del self._entries[next(iter(self._entries))]
            self._entries[name, qtype] = Entry(answer, self._now(), ttl)
        return _capped(answer, ttl)

    def _is_disabled(self, kind: str, name: str) -> bool:
        zones = self._disabled[kind]
        return any(is_in(name, zone) for zone in zones)

    def __len__(self) -> int:
        return len(self._entries)


def _capped(answer: Answer, ttl: int) -> Answer:
    return Answer(
        answer.rcode,
        _with_ttl(answer.answers, ttl),
        _with_ttl(answer.authority, ttl),
        _with_ttl(answer.additional, ttl),
    )


def _with_ttl(records: tuple[Record, ...], ttl: int) -> tuple[Record, ...]:
    return tuple(msgspec.structs.replace(record, ttl=min(record.ttl, ttl)) for record in records)
