import pytest

from k8slab.api import core
from k8slab.api.conditions import get_condition, is_true, set_condition
from k8slab.api.core import Pod, PodCondition, PodStatus
from k8slab.api.meta import ObjectMeta, timestamp
from k8slab.api.pods import is_pod_active, is_pod_available, is_pod_ready, is_pod_terminal


def _ready(status, at, reason=""):
    return PodCondition(
        type="Ready", status=status, lastTransitionTime=timestamp(at), reason=reason
    )


def test_a_new_reason_keeps_the_time_of_the_last_change():
    conditions = set_condition((_ready("False", 1),), _ready("False", 9, "Other"))
    assert conditions == (_ready("False", 1, "Other"),)


def test_a_new_status_moves_the_time():
    assert set_condition((_ready("False", 1),), _ready("True", 9)) == (_ready("True", 9),)


def test_an_equal_condition_changes_nothing():
    before = (_ready("True", 1),)
    assert set_condition(before, _ready("True", 9)) is before


def test_a_condition_is_found_by_type():
    conditions = (_ready("True", 1), PodCondition(type="Initialized", status="False"))
    assert get_condition(conditions, "Missing") is None
    assert is_true(conditions, "Ready")
    assert not is_true(conditions, "Initialized")


@pytest.mark.parametrize(("now", "available"), [(5.0, False), (11.0, True)])
def test_a_pod_is_available_after_min_ready_seconds(now, available):
    pod = Pod(status=PodStatus(conditions=(_ready("True", 1),)))
    assert is_pod_ready(pod)
    assert is_pod_available(pod, 10, now) is available
    assert is_pod_available(pod, 0, now)


def test_a_pod_that_is_going_is_not_active_though_not_ended():
    going = Pod(metadata=ObjectMeta(deletionTimestamp=timestamp(1)))
    assert not is_pod_terminal(going)
    assert not is_pod_active(going)
    assert is_pod_terminal(core.Pod(status=PodStatus(phase="Failed")))
