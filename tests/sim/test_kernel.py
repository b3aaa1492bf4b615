from __future__ import annotations

import pytest

from k8slab.sim import Group, Halted, Killed, Queue, Signal, Simulation, TaskError


def test_the_clock_jumps_to_the_next_entry() -> None:
    sim = Simulation()
    sim.after(300, lambda: None, "back-off of web")
    entry = sim.step()
    assert entry is not None
    assert (sim.now, entry.label) == (300, "back-off of web")


def test_pending_shows_what_is_about_to_happen_in_order() -> None:
    sim = Simulation()
    sim.after(2, lambda: None, "second")
    sim.after(1, lambda: None, "first")
    sim.after(3, lambda: None, "never").cancel()
    assert [entry.label for entry in sim.pending()] == ["first", "second"]


def test_cancelled_timers_are_swept_from_the_queue() -> None:
    sim = Simulation()
    for _ in range(5000):
        sim.after(10, lambda: None).cancel()
    sim.after(1, lambda: None)
    sim.step()
    assert len(sim._queue) < 100


def test_the_past_cannot_be_scheduled() -> None:
    sim = Simulation()
    sim.run(until=5)
    with pytest.raises(ValueError, match="already 5"):
        sim.at(4, lambda: None)


def test_a_tasks_result_reaches_who_awaits_it() -> None:
    sim = Simulation()

    async def work() -> str:
        await sim.sleep(3)
        return "done"

    async def boss() -> str:
        return await sim.spawn(work(), "work")

    assert sim.complete(boss(), "boss", timeout=10) == "done"
    assert sim.now == 3


def test_an_error_that_nobody_awaits_is_not_swallowed() -> None:
    sim = Simulation()

    async def broken() -> None:
        raise KeyError("x")

    sim.spawn(broken(), "broken")
    with pytest.raises(TaskError, match=r"broken failed at 0\.000 s"):
        sim.run(until=1)


def test_complete_gives_up_after_its_timeout() -> None:
    sim = Simulation()

    async def forever() -> None:
        await Signal(sim).wait()

    with pytest.raises(TimeoutError, match="no end after 5 s"):
        sim.complete(forever(), "forever", timeout=5)
    assert sim.now == 5


def test_a_killed_task_cleans_up_and_never_runs_on() -> None:
    sim, log = Simulation(), []

    async def sleeper() -> None:
        try:
            await sim.sleep(10)
            log.append("woke")
        except Killed:
            log.append("cleaned up")
            raise

    task = sim.spawn(sleeper(), "sleeper")
    sim.after(1, task.kill)
    sim.run(until=20)
    assert log == ["cleaned up"]
    assert isinstance(task.error, Killed)


def test_waits_time_out() -> None:
    sim = Simulation()

    async def waiter() -> tuple[bool, str]:
        happened = await Signal(sim).wait(timeout=2)
        try:
            await Queue[int](sim, "mail").get(timeout=3)
        except TimeoutError as error:
            return happened, str(error)
        return happened, ""

    result = sim.complete(waiter(), "waiter", timeout=10)
    assert result == (False, "mail: nothing came in 3 s")
    assert sim.now == 5


def test_timers_and_tasks_carry_the_cause_under_which_they_were_made() -> None:
    sim, causes = Simulation(), []

    async def work() -> None:
        await sim.sleep(1)
        causes.append(sim.cause)
        sim.after(1, lambda: causes.append(sim.cause))

    sim.cause = sim.trace.add("you", "apply", "Deployment/web")
    sim.spawn(work(), "work")
    sim.cause = 0
    sim.run(until=3)
    assert causes == [1, 1]


def test_a_trace_that_forgets_keeps_its_ids() -> None:
    sim = Simulation()
    sim.cause = sim.trace.add("you", "apply", "Deployment/web")
    sim.cause = sim.trace.add("deployment", "create", "ReplicaSet/web-1")
    assert sim.trace.about("ReplicaSet/web-1")
    sim.trace.forget(1)
    last = sim.trace.add("replicaset", "create", "Pod/web-1-x")
    assert last == len(sim.trace) == 3
    assert [record.id for record in sim.trace] == [2, 3]
    assert [record.id for record in sim.trace.why(last)] == [3, 2]
    assert [record.id for record in sim.trace.since(0)] == [2, 3]
    assert [record.id for record in sim.trace.about("Pod/web-1-x")] == [3]
    assert sim.trace.until(sim.now) == 3
    with pytest.raises(IndexError, match="up to 1 are forgotten"):
        sim.trace[1]


def test_the_trace_walks_back_to_the_first_cause() -> None:
    sim = Simulation()
    sim.cause = sim.trace.add("you", "apply", "Deployment/web")
    sim.cause = sim.trace.add("deployment", "create", "ReplicaSet/web-1")
    last = sim.trace.add("replicaset", "create", "Pod/web-1-x")
    assert [record.component for record in sim.trace.why(last)] == [
        "replicaset",
        "deployment",
        "you",
    ]
    assert [record.id for record in sim.trace.about("Pod/web-1-x")] == [3]


def test_streams_do_not_disturb_one_another() -> None:
    alone, together = Simulation(seed=7), Simulation(seed=7)
    together.streams.rng("b").random()
    assert alone.streams.rng("a").random() == together.streams.rng("a").random()
    assert alone.streams.suffix("pods") != Simulation(seed=8).streams.suffix("pods")


def test_killing_a_group_ends_all_that_its_tasks_spawned() -> None:
    sim, group, log = Simulation(), Group("container"), []

    async def child() -> None:
        await sim.sleep(5)
        log.append("child")

    async def main() -> None:
        sim.spawn(child(), "child")
        await sim.sleep(1)

    sim.spawn(main(), "main", group)
    sim.after(2, group.kill)
    sim.run(until=10)
    assert (log, group.tasks) == ([], {})


def test_a_group_hears_of_the_error_that_ended_one_of_its_tasks() -> None:
    sim, heard = Simulation(), []

    async def broken() -> None:
        raise KeyError("x")

    sim.spawn(broken(), "broken", Group("container", heard.append))
    sim.run(until=1)
    assert [repr(error) for error in heard] == ["KeyError('x')"]


def test_time_stops_before_what_halt_does_not_want() -> None:
    sim = Simulation()
    ran: list[float] = []
    for when in (1.0, 2.0):
        sim.at(when, lambda: ran.append(sim.now))
    sim.halt = lambda when: when > 1.5
    with pytest.raises(Halted):
        sim.run(9)
    assert (ran, sim.now) == ([1.0], 1.0)
    sim.halt = None
    sim.run(9)
    assert (ran, sim.now) == ([1.0, 2.0], 9.0)


def test_time_stops_after_the_last_event_too() -> None:
    sim = Simulation()
    ran: list[float] = []
    sim.at(1.0, lambda: ran.append(sim.now))
    sim.halt = lambda when: bool(ran)
    with pytest.raises(Halted):
        sim.run(9)
    assert sim.now == 1.0


def test_what_a_killed_task_brings_about_is_the_killers_doing() -> None:
    sim = Simulation()

    async def victim() -> None:
        try:
            await sim.sleep(9)
        finally:
            sim.trace.add("victim", "end", "it")

    sim.cause = sim.trace.add("one", "start", "it")
    task = sim.spawn(victim(), "victim")
    sim.cause = 0
    sim.run(1)
    sim.cause = sim.trace.add("other", "kill", "it")
    task.kill()
    sim.cause = 0
    sim.run(2)
    assert [record.component for record in sim.trace.why(3)] == ["victim", "other"]


def test_the_trace_finds_the_last_record_of_a_time() -> None:
    sim = Simulation()
    for when in (1.0, 1.0, 2.0):
        sim.at(when, lambda: sim.trace.add("x", "y", "z"))
    sim.run(3)
    assert [sim.trace.until(time) for time in (0.5, 1.0, 1.5, 2.0, 9.0)] == [0, 2, 2, 3, 3]
