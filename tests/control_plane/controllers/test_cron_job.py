from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.meta import timestamp
from k8slab.control_plane.controllers.cron_job import Schedule, plan

DAY = 86400.0


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
        ("*/15 * * * *", "2026-01-01T00:14:59Z", "2026-01-01T00:15:00Z"),
        ("5/20 * * * *", "2026-01-01T00:26:00Z", "2026-01-01T00:45:00Z"),
        ("0 8-10,20 * * *", "2026-01-01T10:00:00Z", "2026-01-01T20:00:00Z"),
        ("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 * * mon-fri", "2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("0 0 13 * fri", "2026-01-03T00:00:00Z", "2026-01-09T00:00:00Z"),
        ("0 0 */10 * fri", "2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        ("@hourly", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00Z"),
        ("@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("@every 1h30m", "2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z"),
    ],
)
def test_when_the_next_time_is(text: str, after: str, expected: str) -> None:
    from k8slab.api.meta import seconds

    found = Schedule.parse(text).next_after(seconds(after))
    assert found is not None
    assert timestamp(found) == expected


def test_a_day_that_never_comes_has_no_time() -> None:
    assert Schedule.parse("0 0 31 2 *").next_after(0.0) is None


def test_a_time_zone_moves_the_times() -> None:
    from datetime import timedelta, timezone

    berlin = timezone(timedelta(hours=1))
    assert Schedule.parse("0 8 * * *").next_after(0.0, berlin) == 7 * 3600


@given(st.integers(0, 59), st.integers(0, 23), st.floats(0, 400 * DAY))
def test_the_next_time_is_later_and_nothing_lies_between(
    minute: int, hour: int, now: float
) -> None:
    found = Schedule.parse(f"{minute} {hour} * * *").next_after(now)
    assert found is not None
    assert now < found <= now + DAY
    assert found % DAY == hour * 3600 + minute * 60


def cron(status: Any = None, schedule: str = "*/10 * * * *", **spec: Any) -> Any:
    template = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1"}]}
    return load(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {
                "name": "tick",
                "namespace": "default",
                "uid": "cron",
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {
                "schedule": schedule,
                "jobTemplate": {"spec": {"template": {"spec": template}}},
                "concurrencyPolicy": "Allow",
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 1,
                **spec,
            },
            "status": status or {},
        }
    )


def job(name: str, ended: str = "", start: int = 0) -> Any:
    conditions = [{"type": ended, "status": "True"}] if ended else []
    return load(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": "default", "uid": name},
            "status": {"startTime": timestamp(start), "conditions": conditions},
        }
    )


RUNNING = {"active": [{"name": "old", "uid": "old"}], "lastScheduleTime": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("spec", "status", "now", "starts", "deletes"),
    [
        ({}, {}, 599.0, False, []),
        ({}, {}, 600.0, True, []),
        ({"suspend": True}, {}, 600.0, False, []),
        ({}, {"lastScheduleTime": "2026-01-01T00:10:00Z"}, 700.0, False, []),
        ({}, RUNNING, 600.0, True, []),
        ({"concurrencyPolicy": "Forbid"}, RUNNING, 600.0, False, []),
        ({"concurrencyPolicy": "Replace"}, RUNNING, 600.0, True, ["old"]),
        ({"startingDeadlineSeconds": 60}, {}, 650.0, True, []),
        ({"startingDeadlineSeconds": 60}, {}, 680.0, False, []),
    ],
)
def test_when_a_job_starts(spec: Any, status: Any, now: float, starts: bool, deletes: Any) -> None:
    jobs = [job("old")] if status is RUNNING else []
    result = plan(cron(status, **spec), jobs, now=now)
    assert (result.create is not None) == starts
    assert [found.metadata.name for found in result.delete] == deletes


def test_of_several_missed_times_the_last_is_made_up_for() -> None:
    result = plan(cron(), [], now=2000.0)
    assert result.create is not None
    stamp = result.create.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    assert (stamp, result.create.metadata.name) == ("2026-01-01T00:30:00Z", "tick-29453790")
    assert result.look_again_in == pytest.approx(400.1)


def test_a_time_whose_job_is_there_is_seen_to() -> None:
    result = plan(cron(), [job("tick-29453790")], now=2000.0)
    assert result.create is None
    assert result.status.lastScheduleTime == "2026-01-01T00:30:00Z"
    # a controller that died before it could note the Job as active does so now
    assert [listed.name for listed in result.status.active] == ["tick-29453790"]


def test_many_missed_times_are_told() -> None:
    result = plan(cron(schedule="* * * * *"), [], now=101 * 60.0)
    assert [reason for _, reason, _ in result.events] == ["TooManyMissedTimes"]


def test_old_jobs_beyond_the_history_go() -> None:
    jobs = [job(f"ok-{n}", "Complete", n) for n in range(5)]
    jobs += [job(f"bad-{n}", "Failed", n) for n in range(2)]
    result = plan(cron(suspend=True), jobs, now=0.0)
    assert [j.metadata.name for j in result.delete] == ["ok-0", "ok-1", "bad-0"]


def test_an_ended_job_is_struck_off_the_list() -> None:
    result = plan(cron(RUNNING, suspend=True), [job("old", "Failed")], now=0.0)
    assert result.status.active == ()
    assert result.events == (
        ("Normal", "SawCompletedJob", "Saw completed job: old, condition: Failed"),
    )


def manifest(exit_: str = "0:1", **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"annotations": {"fake/exit": exit_}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1"}]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"template": template}},
            **spec,
        },
    }


def test_every_minute_a_job_runs_and_three_are_kept(lab: Any) -> None:
    lab.apply(manifest())
    lab.run(6 * 60 + 30)
    status = lab.get("CronJob", "tick").status
    assert (len(lab.all("Job")), status.active) == (3, ())
    assert status.lastScheduleTime == timestamp(lab.sim.now // 60 * 60)
    assert len(lab.all("Pod")) == 3


def test_forbid_waits_for_the_job_before(lab: Any) -> None:
    lab.apply(manifest("0:90", concurrencyPolicy="Forbid"))
    lab.run(3 * 60)
    assert len(lab.all("Job")) == 2
    assert any(text.startswith("JobAlreadyActive") for text in lab.events("tick"))


def test_deleting_a_cron_job_deletes_its_jobs(lab: Any) -> None:
    lab.apply(manifest("0:600"))
    lab.run(130)
    lab.request("delete", "CronJob", "tick")
    lab.run(5)
    assert (lab.all("Job"), lab.all("Pod")) == ([], [])
