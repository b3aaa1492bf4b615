"""Whatever happens, in whatever order: no node is overbooked, and nobody waits who would fit."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab.api.meta import DeleteOptions
from k8slab.api.quantity import milli_value
from k8slab.client import ConnectionFailed

steps = st.lists(
    st.tuples(
        st.sampled_from(["create", "create", "create", "delete", "finish", "cordon", "wait"]),
        st.integers(0, 9),
        st.integers(1, 12),
    ),
    max_size=25,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps, failures=st.lists(st.booleans(), max_size=12), restart=st.integers(0, 25))
def test_no_node_is_overbooked_and_nobody_waits_who_would_fit(
    make_lab: Any, node: Any, pod: Any, steps: Any, failures: list[bool], restart: int
) -> None:
    lab = make_lab()
    luck = list(failures)
    lab.refuse = lambda request: (
        ConnectionFailed("refused")
        if request.subresource == "binding" and luck and luck.pop()
        else None
    )
    for index in range(2):
        lab.create(node(f"n{index}", cpu="2"))
    alive: dict[str, None] = {}
    for turn, (step, number, amount) in enumerate(steps):
        if turn == restart:
            lab.process.kill()
            lab.start()
        act(lab, pod, alive, step, f"p{number}", amount)
    for index in range(2):
        lab.merge("Node", f"n{index}", {"spec": {"unschedulable": False}})
    lab.run(200)
    check(lab)


def act(lab: Any, pod: Any, alive: dict[str, None], step: str, name: str, amount: int) -> None:
    if step == "create" and name not in alive:
        lab.create(pod(name, cpu=f"{amount * 100}m"))
        alive[name] = None
    elif step == "delete" and name in alive:
        lab.call("delete", "Pod", name, body=DeleteOptions(gracePeriodSeconds=0))
        del alive[name]
    elif step == "finish" and name in alive and lab.pod(name).spec.nodeName:
        lab.status("Pod", name, {"phase": "Succeeded"})
    elif step == "cordon":
        lab.merge("Node", f"n{amount % 2}", {"spec": {"unschedulable": amount > 6}})
    elif step == "wait":
        lab.run(amount * 0.0017)


def check(lab: Any) -> None:
    free = {f"n{index}": 2000 for index in range(2)}
    waiting: dict[str, int] = {}
    for each in lab.call("list", "Pod").items:
        asked = milli_value(each.spec.containers[0].resources.requests["cpu"])
        if each.status.phase == "Succeeded":
            continue
        if each.spec.nodeName:
            free[each.spec.nodeName] -= asked
        else:
            waiting[f"default/{each.metadata.name}"] = asked
    assert min(free.values()) >= 0
    assert all(asked > max(free.values()) for asked in waiting.values())
    assert sorted(lab.scheduler.queue.pending()["unschedulable"]) == sorted(waiting)
    booked = {
        name: 2000 - info.requested.get("cpu", 0)
        for name, info in lab.scheduler.cache.snapshot.nodes.items()
    }
    assert booked == free
