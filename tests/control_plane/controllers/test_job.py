from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.control_plane.controllers.job import calculate_status, plan
from k8slab.control_plane.controllers.job.backoff_utils import Backoff, remaining
from k8slab.control_plane.controllers.job.indexed_job_utils import parse, show
from k8slab.control_plane.controllers.job.pod_failure_policy import match
from k8slab.control_plane.controllers.job.status import counted
from k8slab.control_plane.controllers.ttl_after_finished import expires_in

PHASES = {"a": "Running", "p": "Pending", "s": "Succeeded", "f": "Failed", "t": "Running"}


def job(status: Any = None, *, restart: str = "Never", **spec: Any) -> Any:
    containers = [{"name": "c", "image": "busybox:1"}]
    return load(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "j", "namespace": "default", "uid": "job"},
            "spec": {
                "backoffLimit": 6,
                "template": {"spec": {"restartPolicy": restart, "containers": containers}},
                **spec,
            },
            "status": status or {},
        }
    )


def pod(state: str, name: str, code: int = 1, **annotations: str) -> Any:
    """A Pod by one letter: active, pending, succeeded, failed, terminating."""
    ended = {"terminated": {"exitCode": code, "finishedAt": "2026-01-01T00:00:05Z"}}
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": name,
                "annotations": {f"batch.kubernetes.io/{k}": v for k, v in annotations.items()},
                "finalizers": ["batch.kubernetes.io/job-tracking"],
                **({"deletionTimestamp": "2026-01-01T00:00:01Z"} if state == "t" else {}),
            },
            "spec": {"containers": [{"name": "c", "image": "busybox:1"}]},
            "status": {
                "phase": PHASES[state],
                "containerStatuses": [{"name": "c", "state": ended}] if state in "sf" else [],
            },
        }
    )


def pods(states: str) -> list[Any]:
    return [pod(state, f"p{number}") for number, state in enumerate(states)]


def says(of: Any, states: str, now: float = 1000.0) -> str:
    result = plan(of, pods(states), now=now)
    words = [f"+{result.create}"] if result.create else []
    words += [f"-{len(result.delete)}"] if result.delete else []
    words += [result.finish.reason] if result.finish else []
    return " ".join(words)


@pytest.mark.parametrize(
    ("spec", "states", "expected"),
    [
        ({"completions": 1}, "", "+1"),
        ({"completions": 3, "parallelism": 2}, "", "+2"),
        ({"completions": 3, "parallelism": 2}, "ss", "+1"),
        ({"completions": 3, "parallelism": 2}, "ssa", ""),
        ({"completions": 3, "parallelism": 2}, "sss", "CompletionsReached"),
        ({"completions": 3, "parallelism": 5}, "aaaaa", "-2"),
        ({"completions": 1}, "f", "+1"),
        ({"completions": 1, "backoffLimit": 1}, "ff", "BackoffLimitExceeded"),
        ({"completions": 2, "backoffLimit": 0, "parallelism": 2}, "fa", "-1 BackoffLimitExceeded"),
        ({"completions": 2, "parallelism": 0}, "", ""),
        ({"completions": 1, "suspend": True}, "", ""),
        ({"completions": 1, "suspend": True}, "a", "-1"),
        ({"parallelism": 3}, "saa", ""),
        ({"parallelism": 3}, "sss", "CompletionsReached"),
        ({"completions": 1}, "t", "+1"),
        ({"completions": 1, "podReplacementPolicy": "Failed"}, "t", ""),
    ],
)
def test_what_one_look_does(spec: Any, states: str, expected: str) -> None:
    assert says(job(**spec), states) == expected


@pytest.mark.parametrize(("now", "expected"), [(9.0, ""), (10.0, "-1 DeadlineExceeded")])
def test_time_can_be_over(now: float, expected: str) -> None:
    of = job({"startTime": "2026-01-01T00:00:00Z"}, completions=1, activeDeadlineSeconds=10)
    assert says(of, "a", now) == expected


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, 0), (1, 10), (2, 20), (4, 80), (7, 600), (99, 600)]
)
def test_each_failure_doubles_the_wait(failures: int, expected: float) -> None:
    assert remaining(Backoff(failures, 50.0), 50.0) == expected


def test_a_failure_holds_up_the_next_pod_for_ten_seconds() -> None:
    result = plan(job(completions=1), pods("f"), now=6.0)
    assert (result.create, result.retry_after) == (0, 9.0)


def test_a_success_ends_the_waiting() -> None:
    result = plan(job(completions=2), pods("s"), now=6.0, backoff=Backoff(3, 4.0))
    assert (result.create, result.backoff) == (1, Backoff())


def exit_codes(operator: str, *values: int, action: str = "FailJob") -> Any:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values)}}


DISRUPTED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}


@pytest.mark.parametrize(
    ("rules", "code", "action"),
    [
        ([], 1, "Count"),
        ([exit_codes("In", 42)], 42, "FailJob"),
        ([exit_codes("In", 42)], 1, "Count"),
        ([exit_codes("NotIn", 42)], 1, "FailJob"),
        ([exit_codes("In", 1, action="Ignore"), exit_codes("In", 1)], 1, "Ignore"),
        ([DISRUPTED], 1, "Count"),
    ],
)
def test_the_first_rule_that_matches_decides(rules: Any, code: int, action: str) -> None:
    of = job(completions=1, podFailurePolicy={"rules": rules})
    assert match(of, pod("f", "p0", code))[0] == action


def test_a_fail_job_rule_ends_the_job_and_says_why() -> None:
    of = job(completions=1, podFailurePolicy={"rules": [exit_codes("In", 42)]})
    finish = plan(of, [pod("f", "p0", 42)], now=9).finish
    assert finish is not None
    assert finish.message == (
        "Container c for pod default/p0 failed with exit code 42 matching FailJob rule at index 0"
    )


def test_an_ignored_failure_does_not_count() -> None:
    rules = [exit_codes("In", 1, action="Ignore")]
    of = job(completions=1, backoffLimit=0, podFailurePolicy={"rules": rules})
    result = plan(of, pods("f"), now=9)
    assert (result.finish, result.failed, len(result.ignored)) == (None, (), 1)


# -- indexed


def indexed(status: Any = None, completions: int = 4, **spec: Any) -> Any:
    return job(status, completionMode="Indexed", completions=completions, **spec)


def numbered(state: str, number: int, failures: int = 0) -> Any:
    annotations = {
        "job-completion-index": str(number),
        "job-index-failure-count": str(failures),
    }
    return pod(state, f"j-{number}-{failures}{state}", **annotations)


@pytest.mark.parametrize(
    ("status", "there", "expected"),
    [
        ({}, [], (0, 1)),
        ({}, [("a", 0)], (1,)),
        ({"completedIndexes": "0"}, [("a", 2)], (1,)),
        ({"completedIndexes": "0-1"}, [("s", 2)], (3,)),
        ({}, [("f", 0)], (0, 1)),
    ],
)
def test_the_lowest_numbers_come_first(status: Any, there: Any, expected: Any) -> None:
    result = plan(indexed(status, parallelism=2), [numbered(*p) for p in there], now=1000.0)
    assert result.indexes == expected


def test_a_number_that_failed_too_often_is_given_up() -> None:
    of = indexed(completions=2, parallelism=2, backoffLimitPerIndex=1, backoffLimit=99)
    once = plan(of, [numbered("f", 0), numbered("s", 1)], now=20)
    twice = plan(of, [numbered("f", 0), numbered("f", 0, 1), numbered("s", 1)], now=9)
    assert (once.indexes, once.finish) == ((0,), None)
    assert twice.finish is not None
    assert (twice.failed_indexes, twice.finish.reason) == ((0,), "FailedIndexes")


def test_each_number_waits_for_itself() -> None:
    of = indexed(completions=3, parallelism=3, backoffLimitPerIndex=2)
    there = [numbered("f", 0), numbered("f", 1), numbered("f", 1, 1)]  # all ended at 5 s
    early, later = (plan(of, there, now=now) for now in (9, 16))
    assert (early.indexes, early.retry_after) == ((2,), 6.0)
    assert (later.indexes, later.retry_after) == ((0, 2), 9.0)


def test_fewer_numbers_end_the_highest_and_a_number_needs_one_pod() -> None:
    there = [numbered("a", number) for number in (0, 1, 1, 2, 3)]
    there[2] = numbered("a", 1, 1)
    result = plan(indexed(completions=2, parallelism=2), there, now=9)
    assert sorted(pod.metadata.name for pod in result.delete)[1:] == ["j-2-0a", "j-3-0a"]
    assert len(result.delete) == 3


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"succeededIndexes": "0,2"}, True),
        ({"succeededIndexes": "0-1"}, False),
        ({"succeededCount": 2}, True),
        ({"succeededIndexes": "0-3", "succeededCount": 3}, False),
    ],
)
def test_a_success_policy_can_end_it_early(rule: Any, holds: bool) -> None:
    of = indexed({"completedIndexes": "0,2"}, parallelism=4, successPolicy={"rules": [rule]})
    result = plan(of, [numbered("a", 1)], now=9)
    assert (result.finish is not None and result.finish.reason == "SuccessPolicy") == holds
    assert (len(result.delete) == 1) == holds


@given(st.lists(st.integers(0, 60)))
def test_numbers_survive_being_written_as_ranges(numbers: list[int]) -> None:
    assert parse(show(numbers)) == sorted(dict.fromkeys(numbers))


# -- status


def test_an_ended_pod_is_noted_before_it_is_counted() -> None:
    of = job(completions=1)
    result = plan(of, pods("s"), now=9)
    noted = calculate_status(of, pods("s"), result, now=9)
    assert noted.uncountedTerminatedPods.succeeded == ("p0",)  # type: ignore[union-attr]
    assert (noted.succeeded, [c.type for c in noted.conditions]) == (0, ["SuccessCriteriaMet"])
    done = counted(noted, now=9)
    assert (done.succeeded, [c.type for c in done.conditions]) == (
        1,
        ["SuccessCriteriaMet", "Complete"],
    )


def test_a_pod_that_was_counted_is_not_counted_again() -> None:
    noted = {"uncountedTerminatedPods": {"succeeded": ["p0"]}}
    assert plan(job(noted, completions=2), pods("s"), now=9).succeeded == ()
    assert plan(job(completions=2), pods("s"), now=9, seen=["p0"]).succeeded == ()


@pytest.mark.parametrize(
    ("type_", "now", "expected"),
    [("Complete", 5.0, 10.0), ("Failed", 30.0, 0.0), ("Suspended", 5.0, None)],
)
def test_a_job_goes_some_time_after_its_end(type_: str, now: float, expected: Any) -> None:
    ended = {"type": type_, "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z"}
    assert expires_in(job({"conditions": [ended]}, ttlSecondsAfterFinished=10), now) == expected


# -- on a running cluster without real nodes


def manifest(exit_: str = "0:1", **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"annotations": {"fake/exit": exit_}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1"}]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {**spec, "template": template},
    }


def conditions(lab: Any) -> list[str]:
    return [c.type for c in lab.get("Job", "j").status.conditions if c.status == "True"]


def test_pods_work_in_turns_until_all_have_succeeded(lab: Any) -> None:
    lab.apply(manifest(completions=5, parallelism=2))
    most = 0
    for _ in range(100):
        lab.run(0.1)
        most = max(most, sum(p.status.phase == "Running" for p in lab.all("Pod")))
    status = lab.get("Job", "j").status
    assert (status.succeeded, status.active, most) == (5, 0, 2)
    assert conditions(lab) == ["SuccessCriteriaMet", "Complete"]
    assert not any(pod.metadata.finalizers for pod in lab.all("Pod"))


def test_suspending_stops_the_pods_and_resuming_starts_the_clock_anew(lab: Any) -> None:
    lab.apply(manifest("0:60", completions=1))
    lab.run(2)
    lab.patch("Job", "j", {"spec": {"suspend": True}})
    lab.run(3)
    assert (lab.all("Pod"), conditions(lab)) == ([], ["Suspended"])
    assert lab.get("Job", "j").status.startTime is None
    assert lab.get("Job", "j").status.failed == 0  # who was only stopped has not failed
    lab.patch("Job", "j", {"spec": {"suspend": False}})
    lab.run(3)
    assert (len(lab.all("Pod")), conditions(lab)) == (1, [])
    assert {"Suspended: Job suspended", "Resumed: Job resumed"} <= set(lab.events("j"))


def test_the_pods_of_a_deleted_job_lose_their_finalizer(lab: Any) -> None:
    lab.apply(manifest("0:60", completions=2, parallelism=2))
    lab.run(2)
    lab.request("delete", "Job", "j", body={"propagationPolicy": "Background"})
    lab.run(5)
    assert (lab.all("Job"), lab.all("Pod")) == ([], [])


@pytest.mark.parametrize("delay", [0.02, 0.9, 1.01, 1.6, 2.31, 2.32, 2.33])
def test_a_killed_controller_counts_no_pod_twice_and_loses_none(
    lab_with: Any, delay: float
) -> None:
    from k8slab.control_plane.controller_manager import ControllerManager
    from k8slab.sim import Group

    lab = lab_with(replace={"job-controller": None})
    first = Group("kube-controller-manager")
    lab.sim.spawn(ControllerManager(lab.sim, lab.client, lab).run(), "first", first)
    lab.run(1)
    lab.apply(manifest(completions=3, parallelism=3))
    lab.run(delay)
    first.kill()
    lab.run(5)
    lab.sim.spawn(ControllerManager(lab.sim, lab.client, lab).run(), "second")
    lab.run(12)
    status = lab.get("Job", "j").status
    assert (status.succeeded, status.failed, status.active) == (3, 0, 0)
