"""What has to be done about one object, given what became of its owners.

`judge` is the decision: nothing, wait for its dependents, take its foreground finalizer off, drop
references to owners that are gone, or delete it, and with which policy.

Rule of use: pure; `absent` and `waiting` are the uids of owners that the caller found out about.

Upstream: attemptToDeleteItem in pkg/controller/garbagecollector/garbagecollector.go
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from k8slab.api.meta import Object
from k8slab.control_plane.controllers.garbage_collector.graph import FOREGROUND, ORPHAN


class Verdict(msgspec.Struct, frozen=True):
    """What to do with an object, and why."""

    delete: str = ""  # the propagation policy with which to delete it
    drop: tuple[str, ...] = ()  # uids of owners whose references to take off
    why: str = ""


def judge(
    obj: Object, *, absent: Collection[str], waiting: Collection[str], has_dependents: bool
) -> Verdict:
    """Say what becomes of an object.

    `absent` are the uids of owners that do not exist, `waiting` those of owners that are being
    deleted and wait for their dependents to go first.
    """
    owners = obj.metadata.ownerReferences
    lost = [owner for owner in owners if owner.uid in absent or owner.uid in waiting]
    if not lost:
        return Verdict()
    names = ", ".join(f"{owner.kind} {owner.name}" for owner in lost)
    if len(lost) < len(owners):
        return Verdict(drop=tuple(o.uid for o in lost), why=f"{names} gone, other owners remain")
    if any(owner.uid in waiting for owner in lost) and has_dependents:
        return Verdict(delete="Foreground", why=f"{names} waits for it, and it for its own")
    why = f"{names} is gone" if all(o.uid in absent for o in lost) else f"{names} waits for it"
    if ORPHAN in obj.metadata.finalizers:
        return Verdict(delete="Orphan", why=why)
    if FOREGROUND in obj.metadata.finalizers:
        return Verdict(delete="Foreground", why=why)
    return Verdict(delete="Background", why=why)
