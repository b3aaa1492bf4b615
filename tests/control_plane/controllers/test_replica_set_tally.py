from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.meta import timestamp
from k8slab.control_plane.controllers.replica_set import plan
from k8slab.control_plane.controllers.replica_set.tally import (
    Tally,
    asks_for_something,
    kinds_of,
)
from tests.control_plane.controllers.test_replica_set import NOW, pod, rs

PODS = st.builds(
    pod,
    st.sampled_from(["a", "b", "c", "d"]),
    owner=st.sampled_from(["rs", "other", ""]),
    ready=st.sampled_from([-1, 5, 500]),
    phase=st.sampled_from(["Running", "Running", "Failed"]),
    labels=st.sampled_from([{"app": "web"}, {"app": "web"}, {"app": "db"}]),
    deletionTimestamp=st.sampled_from([None, None, timestamp(NOW)]),
)


@given(st.lists(st.one_of(PODS, st.sampled_from(["a", "b", "c", "d"])), max_size=12))
def test_a_tally_told_of_changes_equals_a_fresh_count(changes: list[Any]) -> None:
    tally, pods = Tally(), dict[str, Any]()
    for change in changes:
        name = change if isinstance(change, str) else change.metadata.name
        old = pods.pop(name, None)
        new = None if isinstance(change, str) else change
        if new is not None:
            pods[name] = new
        tally.change(old, new)
    own = [p for p in pods.values() if [r.uid for r in p.metadata.ownerReferences] == ["rs"]]
    assert tally.of(rs()) == kinds_of(own)


@given(st.lists(PODS, max_size=5, unique_by=lambda p: p.metadata.name), st.integers(0, 4))
def test_where_plan_would_act_the_tally_asks_for_it(pods: list[Any], replicas: int) -> None:
    own = [p for p in pods if [r.uid for r in p.metadata.ownerReferences] == ["rs"]]
    orphans = [p for p in pods if not p.metadata.ownerReferences]
    result = plan(rs(replicas), pods, now=NOW)
    if result.create or result.delete or result.adopt or result.release:
        assert asks_for_something(rs(replicas), kinds_of(own), orphans)


def test_a_change_that_counting_does_not_see_is_none() -> None:
    assert not Tally().change(pod("a", node="n"), pod("a", node="m"))
    assert Tally().change(pod("a"), pod("a", ready=-1))
