from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.control_plane.etcd import (
    Backend,
    Compacted,
    Endpoint,
    Etcd,
    FutureRevision,
    Unavailable,
)
from k8slab.sim import Simulation


@pytest.fixture
def etcd() -> Etcd:
    return Etcd(Simulation(), Backend())


def test_the_past_can_still_be_read(etcd: Etcd) -> None:
    first = etcd.put("a", 1)
    etcd.put("a", 2)
    etcd.delete("a")
    assert first is not None
    assert etcd.get("a") is None
    assert etcd.get("a", revision=first.mod_revision).value == 1  # type: ignore[union-attr]


def test_a_write_that_saw_an_old_revision_is_refused(etcd: Etcd) -> None:
    first = etcd.put("a", 1, expected=0)
    assert first is not None
    etcd.put("a", 2)
    assert etcd.put("a", 3, expected=first.mod_revision) is None
    assert etcd.put("a", 3, expected=0) is None


def test_a_key_counts_its_versions_anew_after_a_delete(etcd: Etcd) -> None:
    etcd.put("a", 1)
    etcd.put("a", 2)
    etcd.delete("a")
    again = etcd.put("a", 3)
    assert again is not None
    assert (again.version, again.create_revision) == (1, again.mod_revision)


def test_a_watch_from_a_revision_replays_the_past_then_goes_on(etcd: Etcd) -> None:
    seen: list[object] = []
    etcd.put("/pods/a", 1)
    second = etcd.put("/pods/b", 2)
    etcd.put("/nodes/c", 3)
    assert second is not None
    etcd.watch("/pods/", lambda kv: seen.append(kv.value), second.mod_revision)
    etcd.put("/pods/d", 4)
    assert seen == [2, 4]


def test_compaction_forgets_the_past_and_nothing_else(etcd: Etcd) -> None:
    first = etcd.put("a", 1)
    etcd.put("a", 2)
    last = etcd.put("b", 3)
    assert first is not None
    assert last is not None
    etcd.compact(last.mod_revision)
    assert [kv.value for kv in etcd.range("")] == [2, 3]
    with pytest.raises(Compacted, match="required revision has been compacted"):
        etcd.get("a", revision=first.mod_revision)
    with pytest.raises(FutureRevision):
        etcd.compact(99)


def test_a_lease_ends_its_key() -> None:
    sim = Simulation()
    etcd = Etcd(sim, Backend())
    etcd.put("event", 1)
    etcd.attach_lease("event", 3600)
    sim.run(until=3599)
    assert etcd.get("event") is not None
    sim.run(until=3601)
    assert etcd.get("event") is None


def test_a_new_server_on_the_same_disk_has_forgotten_nothing() -> None:
    sim, backend, endpoint = Simulation(), Backend(), Endpoint()
    endpoint.serve(Etcd(sim, backend))
    endpoint.server.put("a", 1)
    endpoint.stop()
    with pytest.raises(Unavailable, match="connection refused"):
        _ = endpoint.server
    endpoint.serve(Etcd(sim, backend))
    assert endpoint.server.get("a").value == 1  # type: ignore[union-attr]


STEPS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=20)


@given(STEPS)
def test_every_revision_can_be_read_as_it_was(steps: list[tuple[str, int]]) -> None:
    etcd = Etcd(Simulation(), Backend())
    world: dict[str, int] = {}
    history = {etcd.revision: dict(world)}
    for key, value in steps:
        if value == 0:
            etcd.delete(key)
            world.pop(key, None)
        else:
            etcd.put(key, value)
            world[key] = value
        history[etcd.revision] = dict(world)
    for revision, expected in history.items():
        assert {kv.key: kv.value for kv in etcd.range("", revision)} == expected
