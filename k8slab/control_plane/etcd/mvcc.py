"""Multi-version concurrency control: nothing is overwritten, everything has a revision.

The store has one counter, the revision; each write adds one. A key remembers at which revision it
was created, when last modified, and how often written (its version). A delete is a tombstone.

    put  a -> 1         revision 2   a: created 2, modified 2, version 1
    put  a -> 2         revision 3   a: created 2, modified 3, version 2
    delete a            revision 4   a: tombstone
    range a at 3        ->  2        the past can still be read
    compact 3           the value of revision 2 is gone; a watch from 2 is refused

A write that names the revision it has seen fails if the key has changed since: that is all the
locking there is in a Kubernetes cluster.

Rule of use: values are immutable objects; the store keeps them and never copies.

Upstream: etcd server/storage/mvcc (kvstore.go, key_index.go, watchable_store.go)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from k8slab.sim import Simulation


class KeyValue(msgspec.Struct, frozen=True, gc=False):
    """One version of one key; `value` is None in a tombstone."""

    key: str
    value: Any
    create_revision: int
    mod_revision: int
    version: int


class Compacted(Exception):  # noqa: N818 (etcd's word: ErrCompacted)
    """The revision asked for has been compacted away."""

    def __init__(self) -> None:
        super().__init__("etcdserver: mvcc: required revision has been compacted")


class FutureRevision(Exception):  # noqa: N818 (etcd's word: ErrFutureRev)
    """The revision asked for does not exist yet."""

    def __init__(self) -> None:
        super().__init__("etcdserver: mvcc: required revision is a future revision")


class Backend:
    """What lies in etcd's data directory: every revision that was not compacted."""

    def __init__(self) -> None:
        self.revision = 1  # etcd counts from 1; the first write is revision 2
        self.compacted = 0
        self.log: list[KeyValue] = []  # all writes in order, log[i] has revision log_start + i
        self.log_start = 2
        self.keys: dict[str, list[KeyValue]] = {}  # versions of each key, oldest first
        self.leases: dict[str, float] = {}  # key -> virtual time at which it expires
        self._sorted: list[str] | None = None

    def get(self, key: str, revision: int = 0) -> KeyValue | None:
        """Return the key as of a revision (0: now), None if it did not exist then."""
        versions = self.keys.get(key)
        found = self._version_at(versions, revision) if versions else None
        return None if found is None or found.value is None else found

    def range(self, prefix: str, revision: int = 0) -> Iterator[KeyValue]:
        """Yield all keys that begin with `prefix`, sorted, as of a revision (0: now)."""
        if self._sorted is None or len(self._sorted) != len(self.keys):
            self._sorted = sorted(self.keys)
        keys = self._sorted
        for index in range(bisect_left(keys, prefix), len(keys)):
            key = keys[index]
            if not key.startswith(prefix):
                break
            found = self._version_at(self.keys[key], revision)
            if found is not None and found.value is not None:
                yield found

    def forget(self, key: str) -> None:
        """Drop a key of which no version is left."""
        del self.keys[key]
        self._sorted = None

    @staticmethod
    def _version_at(versions: list[KeyValue], revision: int) -> KeyValue | None:
        if not revision or versions[-1].mod_revision <= revision:
            return versions[-1]
        index = bisect_right(versions, revision, key=lambda kv: kv.mod_revision)
        return versions[index - 1] if index else None


class Etcd:
    """A server on a backend; watchers hear of each write at the moment of its commit."""

    def __init__(self, sim: Simulation, backend: Backend) -> None:
        self._sim = sim
        self._backend = backend
        self._watchers: list[tuple[str, Callable[[KeyValue], None]]] = []
        self._closed = False
        for key in backend.leases:
            self._expire_later(key)

    @property
    def revision(self) -> int:
        """The revision of the last write."""
        return self._backend.revision

    def close(self) -> None:
        """Stop serving; what was written stays in the backend."""
        self._closed = True
        self._watchers.clear()

    # -- reading

    def get(self, key: str, revision: int = 0) -> KeyValue | None:
        """Return the key as of a revision (0: now), None if it did not exist then."""
        self._check(revision)
        return self._backend.get(key, revision)

    def range(self, prefix: str, revision: int = 0) -> Iterator[KeyValue]:
        """Yield all keys that begin with `prefix`, sorted, as of a revision (0: now)."""
        self._check(revision)
        return self._backend.range(prefix, revision)

    # -- writing

    def put(self, key: str, value: Any, expected: int | None = None) -> KeyValue | None:
        """Write the key and return its new version.

        With `expected` (a mod revision, 0 for "must not exist") write only if the key is still at
        it, and return None if it is not.
        """
        current = self.get(key)
        if not self._as_expected(current, expected):
            return None
        new = self.revision + 1
        return self._commit(
            KeyValue(
                key=key,
                value=value,
                create_revision=current.create_revision if current else new,
                mod_revision=new,
                version=current.version + 1 if current else 1,
            )
        )

    def delete(self, key: str, expected: int | None = None) -> KeyValue | None:
        """Put a tombstone and return it; None if there was no key or it is not as expected."""
        current = self.get(key)
        if current is None or not self._as_expected(current, expected):
            return None
        self._backend.leases.pop(key, None)
        return self._commit(KeyValue(key, None, 0, self.revision + 1, 0))

    def attach_lease(self, key: str, seconds: float) -> None:
        """Have the key deleted `seconds` of virtual time from now."""
        self._backend.leases[key] = self._sim.now + seconds
        self._expire_later(key)

    def compact(self, revision: int) -> None:
        """Forget versions that a reader at `revision` or later cannot see.

        Raises Compacted if that was done already, FutureRevision if it lies ahead.
        """
        backend = self._backend
        if revision <= backend.compacted:
            raise Compacted
        if revision > self.revision:
            raise FutureRevision
        backend.compacted = revision
        del backend.log[: max(0, revision + 1 - backend.log_start)]
        backend.log_start = max(backend.log_start, revision + 1)
        for key in list(backend.keys):
            self._compact_key(key, revision)

    # -- watching

    def watch(
        self, prefix: str, on_write: Callable[[KeyValue], None], start: int = 0
    ) -> Callable[[], None]:
        """Report every write under `prefix` from revision `start` on (0: from now on).

        What lies in the past is reported at once, in order. Returns the function that ends the
        watch. Raises Compacted if `start` is no longer there.
        """
        if start and start <= self._backend.compacted:
            raise Compacted
        if start:
            for written in self._backend.log[max(0, start - self._backend.log_start) :]:
                if written.key.startswith(prefix):
                    on_write(written)
        entry = (prefix, on_write)
        self._watchers.append(entry)
        return lambda: self._watchers.remove(entry) if entry in self._watchers else None

    def previous(self, written: KeyValue) -> KeyValue | None:
        """Return the version before this one, None if there was none or it was compacted."""
        versions = self._backend.keys.get(written.key, [])
        index = bisect_left(versions, written.mod_revision, key=lambda kv: kv.mod_revision)
        before = versions[index - 1] if index > 0 else None
        return None if before is None or before.value is None else before

    # -- inside

    def _check(self, revision: int) -> None:
        if revision and revision < self._backend.compacted:
            raise Compacted
        if revision > self.revision:
            raise FutureRevision

    @staticmethod
    def _as_expected(current: KeyValue | None, expected: int | None) -> bool:
        return expected is None or expected == (current.mod_revision if current else 0)

    def _commit(self, written: KeyValue) -> KeyValue:
        backend = self._backend
        backend.revision = written.mod_revision
        backend.log.append(written)
        versions = backend.keys.get(written.key)
        if versions is None:
            backend.keys[written.key] = [written]
        else:
            versions.append(written)
        for prefix, on_write in tuple(self._watchers):
            if written.key.startswith(prefix):
                on_write(written)
        return written

    def _expire_later(self, key: str) -> None:
        def expire() -> None:
            if self._backend.leases.get(key) == when and not self._closed:
                self.delete(key)

        when = self._backend.leases[key]
        self._sim.at(max(when, self._sim.now), expire, f"etcd: lease of {key} expires")

    def _compact_key(self, key: str, revision: int) -> None:
        versions = self._backend.keys[key]
        kept = bisect_right(versions, revision, key=lambda kv: kv.mod_revision) - 1
        if kept >= 0 and versions[kept].value is None:
            kept += 1
        del versions[: max(0, kept)]
        if not versions:
            self._backend.forget(key)
