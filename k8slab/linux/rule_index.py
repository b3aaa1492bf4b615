"""Finding the rules of a long chain that a packet may match, without asking each of them.

Rules are known here by their keys: what a rule compares exactly, or None if it compares something
in another way. A run of neighbours that all have keys is looked up in a dictionary.

Rule of use: `find_runs` once for each list of rules; `candidates` for each packet.

Upstream: none (ip_tables asks every rule)
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.linux.addresses import ip_int
from k8slab.linux.packet import Packet

INDEX_FROM = 8  # a run of that many rules is worth a dictionary
Shape = tuple[bool, bool]  # whether a rule names the destination, the destination port
Key = tuple[int, str, int]  # destination, protocol, port; -1 for any


class Run(msgspec.Struct, gc=False):
    """Neighbouring rules; with an index if all of them compare exactly."""

    start: int
    end: int
    index: dict[Key, list[int]] | None = None
    shapes: tuple[Shape, ...] = ()

    def candidates(self, packet: Packet) -> list[int]:
        """Return the places of the rules that the packet may match."""
        assert self.index is not None
        found: list[int] = []
        destination = ip_int(packet.dst)
        for by_destination, by_port in self.shapes:
            key = (
                destination if by_destination else -1,
                packet.protocol,
                packet.dport if by_port else -1,
            )
            found += self.index.get(key, ())
        return sorted(found) if len(self.shapes) > 1 else found


def find_runs(keys: Sequence[Key | None]) -> tuple[Run, ...]:
    """Divide rules into runs: long ones that compare exactly, with an index, and all between."""
    runs: list[Run] = []
    start = 0
    while start < len(keys):
        end = start + 1
        while end < len(keys) and (keys[end] is None) == (keys[start] is None):
            end += 1
        if keys[start] is not None and end - start >= INDEX_FROM:
            runs.append(Run(start, end))
            _index(runs[-1], keys)
        elif runs and runs[-1].index is None:
            runs[-1].end = end
        else:
            runs.append(Run(start, end))
        start = end
    return tuple(runs)


def _index(run: Run, keys: Sequence[Key | None]) -> None:
    run.index = {}
    shapes: dict[Shape, None] = {}
    for place in range(run.start, run.end):
        key = keys[place]
        assert key is not None
        run.index.setdefault(key, []).append(place)
        shapes[(key[0] >= 0, key[2] >= 0)] = None
    run.shapes = tuple(shapes)
