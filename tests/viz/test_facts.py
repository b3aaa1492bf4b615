"""How a Pod is, in one word: the state that is drawn, and the STATUS column."""

import msgspec
import pytest

from k8slab.api.core import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
    PodStatus,
)
from k8slab.api.meta import ObjectMeta
from k8slab.viz.facts import pod_state, short_pod_name, status_column
from k8slab.viz.style import POD_STATES
from tests.viz import pretend

RUNNING = ContainerState(running=ContainerStateRunning())
CRASH = ContainerState(waiting=ContainerStateWaiting(reason="CrashLoopBackOff"))
CREATING = ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating"))
DONE = ContainerState(terminated=ContainerStateTerminated(reason="Completed"))
OOM = ContainerState(terminated=ContainerStateTerminated(exitCode=137, reason="OOMKilled"))
KILLED = ContainerState(terminated=ContainerStateTerminated(exitCode=137, signal=9))
READY = (PodCondition(type="Ready", status="True"),)


def pod(
    phase: str, *states: ContainerState, init=(), conditions=(), deleted=False, ready=False
) -> Pod:
    return Pod(
        metadata=ObjectMeta(deletionTimestamp="2026-01-01T00:00:30Z" if deleted else None),
        status=PodStatus(
            phase=phase,
            conditions=conditions,
            containerStatuses=tuple(ContainerStatus(state=s, ready=ready) for s in states),
            initContainerStatuses=tuple(ContainerStatus(state=s) for s in init),
        ),
    )


CASES = [
    (pod(""), "Pending", "Pending"),
    (pod("Pending", CREATING), "Pending", "ContainerCreating"),
    (pod("Pending", CREATING, init=[RUNNING]), "Pending", "Init:0/0"),
    (pod("Running", RUNNING), "Running", "Running"),
    (pod("Running", RUNNING, conditions=READY, ready=True), "Ready", "Running"),
    (pod("Running", CRASH), "Waiting", "CrashLoopBackOff"),
    (pod("Running", OOM), "Running", "OOMKilled"),
    (pod("Running", KILLED), "Running", "Signal:9"),
    (pod("Running", RUNNING, DONE, ready=True), "Running", "NotReady"),
    (pod("Running", RUNNING, conditions=READY, deleted=True), "Terminating", "Terminating"),
    (pod("Succeeded", DONE), "Succeeded", "Completed"),
    (pod("Succeeded", DONE, deleted=True), "Succeeded", "Completed"),
    (pod("Failed", OOM), "Failed", "OOMKilled"),
    (pod("Unknown"), "Unknown", "Unknown"),
]


@pytest.mark.parametrize(("subject", "state", "status"), CASES, ids=[case[2] for case in CASES])
def test_state_and_status_of_a_pod(subject, state, status) -> None:
    assert pod_state(subject) == state
    assert status_column(subject) == status
    assert state in POD_STATES


def test_a_pod_on_a_lost_node_is_unknown() -> None:
    lost = pod("Running", RUNNING, deleted=True)
    lost = msgspec.structs.replace(
        lost, status=msgspec.structs.replace(lost.status, reason="NodeLost")
    )
    assert status_column(lost) == "Unknown"


def test_a_short_name_leaves_out_the_template_hash() -> None:
    labels = {"pod-template-hash": "6f7d8c9b4"}
    assert short_pod_name(pretend.pod("web-6f7d8c9b4-x2k9p", labels=labels)) == "web-x2k9p"
    assert short_pod_name(pretend.pod("web-0")) == "web-0"
