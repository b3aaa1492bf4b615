import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import core, meta


def test_virtual_time_starts_with_2026():
    assert meta.timestamp(0.0) == "2026-01-01T00:00:00Z"
    assert meta.timestamp(12.9) == "2026-01-01T00:00:12Z"
    assert meta.micro_timestamp(12.5) == "2026-01-01T00:00:12.500000Z"


@given(st.integers(0, 10**9))
def test_seconds_undoes_timestamp(now):
    assert meta.seconds(meta.timestamp(now)) == now


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("2026-01-01T01:00:00+01:00", 0.0),
        ("2025-12-31T23:59:59Z", -1.0),
        ("2026-01-01T00:00:00.250000Z", 0.25),
    ],
)
def test_other_forms_of_time_are_read(text, seconds):
    assert meta.seconds(text) == seconds


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="expected a time with a zone"):
        meta.seconds("2026-01-01T00:00:00")


def _owned(uid, controller):
    owner = meta.OwnerReference(kind="ReplicaSet", name="rs", uid=uid, controller=controller)
    return core.Pod(metadata=meta.ObjectMeta(ownerReferences=(owner,)))


def test_only_the_owner_marked_controller_controls():
    assert meta.controller_of(_owned("1", None)) is None
    assert meta.controller_of(_owned("1", True)).name == "rs"


def test_a_new_object_of_the_same_name_controls_nothing():
    pod = _owned("1", True)
    assert meta.is_controlled_by(pod, core.Pod(metadata=meta.ObjectMeta(name="rs", uid="1")))
    assert not meta.is_controlled_by(pod, core.Pod(metadata=meta.ObjectMeta(name="rs", uid="2")))
