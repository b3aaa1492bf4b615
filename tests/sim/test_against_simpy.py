"""SimPy is the oracle: random programs wake in the same order in both kernels."""

from __future__ import annotations

from typing import Any

import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.sim import Killed, Queue, Signal, Simulation

DELAYS = st.sampled_from([0, 0, 1, 1, 2, 3])
STEP = st.one_of(
    st.tuples(st.just("sleep"), DELAYS),
    st.tuples(st.just("put"), st.integers(0, 1)),
    st.tuples(st.just("get"), st.integers(0, 1)),
    st.tuples(st.just("set"), st.integers(0, 1)),
    st.tuples(st.just("wait"), st.integers(0, 1)),
    st.tuples(st.just("spawn"), DELAYS),
    st.tuples(st.just("join"), DELAYS),
    st.tuples(st.just("kill"), st.integers(0, 4)),
)
PROGRAMS = st.lists(st.lists(STEP, max_size=8), min_size=1, max_size=5)


def run_ours(programs: list[list[tuple[str, int]]]) -> list[Any]:
    sim, log, tasks = Simulation(), [], []
    queues: list[Queue[int]] = [Queue(sim), Queue(sim)]
    signals = [Signal(sim), Signal(sim)]

    async def child(name: str, delay: int) -> None:
        log.append((sim.now, name, "child"))
        await sim.sleep(delay)
        log.append((sim.now, name, "grown"))

    async def program(number: int) -> None:
        try:
            for index, (verb, arg) in enumerate(programs[number]):
                log.append((sim.now, number, index))
                if verb == "sleep":
                    await sim.sleep(arg)
                elif verb == "put":
                    queues[arg].put(number)
                elif verb == "get":
                    log.append(("got", await queues[arg].get()))
                elif verb == "set":
                    signals[arg].set()
                elif verb == "wait":
                    await signals[arg].wait()
                elif verb == "spawn":
                    sim.spawn(child(f"{number}.{index}", arg), "child")
                elif verb == "join":
                    await sim.spawn(child(f"{number}.{index}", arg), "child")
                elif arg < len(tasks) and arg != number and not tasks[arg].done:
                    tasks[arg].kill()
        except Killed:
            log.append((sim.now, number, "killed"))

    for number in range(len(programs)):
        tasks.append(sim.spawn(program(number), f"p{number}"))
    sim.run(until=100)
    return log


class Store:
    """A queue of SimPy events; simpy.Store would hand over one event later than `put`."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.items: list[int] = []
        self.getters: list[simpy.Event] = []

    def put(self, item: int) -> None:
        self.items.append(item)
        if self.getters:
            self.getters.pop(0).succeed(self.items.pop(0))

    def get(self) -> simpy.Event:
        event = self.env.event()
        if self.items:
            event.succeed(self.items.pop(0))
        else:
            self.getters.append(event)
        return event

    def give_back(self, event: simpy.Event) -> None:
        if event in self.getters:
            self.getters.remove(event)
            return
        self.items.insert(0, event.value)
        if self.getters:
            self.getters.pop(0).succeed(self.items.pop(0))


def run_simpy(programs: list[list[tuple[str, int]]]) -> list[Any]:
    env, log, tasks = simpy.Environment(), [], []
    stores = [Store(env), Store(env)]
    events = [env.event(), env.event()]

    def child(name: str, delay: int) -> Any:
        log.append((env.now, name, "child"))
        yield env.timeout(delay)
        log.append((env.now, name, "grown"))

    def program(number: int) -> Any:
        pending = None
        try:
            for index, (verb, arg) in enumerate(programs[number]):
                log.append((env.now, number, index))
                pending = None
                if verb == "sleep":
                    yield env.timeout(arg)
                elif verb == "put":
                    stores[arg].put(number)
                elif verb == "get":
                    store, pending = stores[arg], stores[arg].get()
                    log.append(("got", (yield pending)))
                elif verb == "set":
                    if not events[arg].triggered:
                        events[arg].succeed()
                elif verb == "wait":
                    yield events[arg]
                elif verb == "spawn":
                    env.process(child(f"{number}.{index}", arg))
                elif verb == "join":
                    yield env.process(child(f"{number}.{index}", arg))
                elif arg < len(tasks) and arg != number and tasks[arg].is_alive:
                    tasks[arg].interrupt()
        except simpy.Interrupt:
            if pending is not None:
                store.give_back(pending)
            log.append((env.now, number, "killed"))

    for number in range(len(programs)):
        tasks.append(env.process(program(number)))
    env.run(until=100)
    return log


@settings(max_examples=300, deadline=None)
@given(PROGRAMS)
def test_random_programs_wake_in_simpys_order(programs: list[list[tuple[str, int]]]) -> None:
    assert run_ours(programs) == run_simpy(programs)
