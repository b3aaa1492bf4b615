"""The simulation kernel beside SimPy, which decides what the right order is in the tests."""

from collections.abc import Generator, Iterator
from typing import Any

import simpy

from benchmarks.measure import Row, bytes_kept, compared, seconds
from k8slab.sim import Queue, Simulation

TASKS, TURNS = 200, 100
SLEEPERS = 10_000
END = 1e9  # s, after everything


def rows() -> Iterator[Row]:
    """Measure time-outs, the queue, cancelling and the memory of one that sleeps."""
    turns = TASKS * TURNS
    yield compared("sleep and wake", sleep_ours, "simpy", sleep_simpy, count=turns)
    yield compared("hand an item over", queue_ours, "simpy", queue_simpy, count=turns)
    yield compared("start, sleep and be killed", kill_ours, "simpy", kill_simpy, count=SLEEPERS)
    yield Row("set and cancel a timer", seconds(cancel_ours) / SLEEPERS * 1e6, "us")
    ours, theirs = (bytes_kept(work) / SLEEPERS for work in (sleepers_ours, sleepers_simpy))
    yield Row("memory of one that sleeps", ours, "B", "simpy", theirs)


def sleep_ours() -> None:
    """Let many tasks sleep again and again."""
    sim = Simulation()

    async def task(number: int) -> None:
        for turn in range(TURNS):
            await sim.sleep(1 + (number * turn) % 7)

    for number in range(TASKS):
        sim.spawn(task(number), "task")
    sim.run(until=END)


def sleep_simpy() -> None:
    """Let many processes sleep again and again."""
    env = simpy.Environment()

    def process(number: int) -> Generator[Any, Any, None]:
        for turn in range(TURNS):
            yield env.timeout(1 + (number * turn) % 7)

    for number in range(TASKS):
        env.process(process(number))
    env.run(until=END)


def queue_ours() -> None:
    """Hand items from one task to another."""
    sim = Simulation()
    queue: Queue[int] = Queue(sim)

    async def producer() -> None:
        for item in range(TASKS * TURNS):
            queue.put(item)
            await sim.sleep(1)

    async def consumer() -> None:
        for _ in range(TASKS * TURNS):
            await queue.get()

    sim.spawn(consumer(), "consumer")
    sim.spawn(producer(), "producer")
    sim.run(until=END)


def queue_simpy() -> None:
    """Hand items from one process to another."""
    env = simpy.Environment()
    store = simpy.Store(env)

    def producer() -> Generator[Any, Any, None]:
        for item in range(TASKS * TURNS):
            store.put(item)
            yield env.timeout(1)

    def consumer() -> Generator[Any, Any, None]:
        for _ in range(TASKS * TURNS):
            yield store.get()

    env.process(consumer())
    env.process(producer())
    env.run(until=END)


def sleepers_ours() -> tuple[Simulation, list[Any]]:
    """Give tasks that sleep."""
    sim = Simulation()

    async def sleeper() -> None:
        await sim.sleep(END / 2)

    tasks = [sim.spawn(sleeper(), "sleeper") for _ in range(SLEEPERS)]
    sim.run(until=1)
    return sim, tasks


def sleepers_simpy() -> tuple[simpy.Environment, list[Any]]:
    """Give processes that sleep."""
    env = simpy.Environment()

    def sleeper() -> Generator[Any, Any, None]:
        try:
            yield env.timeout(END / 2)
        except simpy.Interrupt:
            return

    processes = [env.process(sleeper()) for _ in range(SLEEPERS)]
    env.run(until=1)
    return env, processes


def kill_ours() -> None:
    """Make tasks sleep and kill every one."""
    sim, tasks = sleepers_ours()
    for task in tasks:
        task.kill()
    sim.run(until=2)


def kill_simpy() -> None:
    """Make processes sleep and interrupt every one."""
    env, processes = sleepers_simpy()
    for process in processes:
        process.interrupt()
    env.run(until=2)


def cancel_ours() -> None:
    """Set timers and cancel them; SimPy has no such thing."""
    sim = Simulation()
    for timer in [sim.after(1, sim.pending) for _ in range(SLEEPERS)]:
        timer.cancel()
