"""Properties of whole controllers: where they end, and what they never do on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.meta import is_controlled_by
from k8slab.api.pods import is_pod_active, is_pod_ready
from k8slab.api.rollouts import resolve_fenceposts
from k8slab.client import Client, Request, WatchEvent, WatchStream
from tests.control_plane.controllers.conftest import ControllerLab, Wire


class FlakyWire(Wire):
    """A wire on which watch events come twice, or are lost with the watch that they were on."""

    chance: Random

    async def request(self, request: Request) -> Any:
        answer = await super().request(request)
        if isinstance(answer, WatchStream) and request.resource in ("pods", "replicasets"):
            answer.push = self.spoil(answer)  # type: ignore[method-assign]
        return answer

    def spoil(self, stream: WatchStream) -> Callable[[WatchEvent], None]:
        push = stream.push

        def spoiled(event: WatchEvent) -> None:
            dice = self.chance.random()
            if dice < 0.1:
                stream.close()
                return
            push(event)
            if dice > 0.7:
                push(event)

        return spoiled


class FlakyLab(ControllerLab):
    """A lab whose controllers hear badly."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        super().__init__()

    def client(self, user: str) -> Client:
        if not user.startswith("system:kube-controller-manager"):
            return super().client(user)
        wire = FlakyWire(self.sim, self.server)
        wire.chance = self.chance
        return Client(wire, user)


def manifest(kind: str, replicas: int, image: str = "nginx:1.25", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": image}]},
            },
            **spec,
        },
    }


def stray(number: int, label: str, owner: str) -> dict[str, Any]:
    """A Pod that was there before: with our label or not, of nobody or of somebody else."""
    reference = {"apiVersion": "v1", "kind": "Node", "name": "worker-1", "uid": owner}
    owners = [{**reference, "controller": True}] if owner else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"stray-{number}",
            "labels": {"app": label},
            "ownerReferences": owners,
        },
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    }


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**16),
    st.lists(st.integers(0, 6), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(["web", "other"]), st.booleans()), max_size=4),
)
def test_a_replica_set_converges_from_any_state_though_events_are_lost_and_come_twice(
    seed: int, sizes: list[int], strays: list[tuple[str, bool]]
) -> None:
    lab = FlakyLab(seed)
    worker = lab.get("Node", "worker-1").metadata.uid
    for number, (label, owned) in enumerate(strays):
        lab.apply(stray(number, label, worker if owned else ""))
    lab.apply(manifest("ReplicaSet", sizes[0]))
    for size in sizes:
        lab.patch("ReplicaSet", "web", {"spec": {"replicas": size}})
        lab.run(0.5)
    lab.run(90)
    rs = lab.get("ReplicaSet", "web")
    own = [pod for pod in lab.all("Pod") if is_controlled_by(pod, rs)]
    assert sum(map(is_pod_active, own)) == sizes[-1]
    assert all(pod.metadata.labels["app"] == "web" for pod in own)
    assert rs.status.replicas == rs.status.readyReplicas == sizes[-1]
    left = [pod for pod in lab.all("Pod") if pod.metadata.labels["app"] == "other"]
    assert len(left) == sum(label == "other" for label, _ in strays)


def moments(lab: ControllerLab, seconds: float) -> Iterator[tuple[int, int]]:
    """Yield how many Pods there are, and how many of them are ready, after every event."""
    end = lab.sim.now + seconds
    while (when := lab.sim.next_time()) is not None and when <= end:
        lab.sim.step()
        pods = [pod for pod in lab.all("Pod") if is_pod_active(pod)]
        yield len(pods), sum(map(is_pod_ready, pods))


fences = st.one_of(st.integers(0, 3), st.integers(0, 100).map(lambda n: f"{n}%"))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(1, 6), fences, fences, st.booleans())
def test_a_rollout_never_leaves_its_budget_and_ends(
    replicas: int, surge: Any, unavailable: Any, twice: bool
) -> None:
    if str(surge).rstrip("%") == "0" and str(unavailable).rstrip("%") == "0":
        unavailable = 1  # both 0 are refused
    lab = ControllerLab()
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    lab.apply(manifest("Deployment", replicas, strategy={"rollingUpdate": rolling}))
    lab.run(5)
    above, below = resolve_fenceposts(surge, unavailable, replicas)
    images = ["nginx:1.26", "nginx:1.27"] if twice else ["nginx:1.26"]
    for image in images:
        container = {"name": "c", "image": image}
        spec = {"template": {"spec": {"containers": [container]}}}
        lab.patch("Deployment", "web", {"spec": spec})
        for there, ready in moments(lab, 0.4 if twice and image == images[0] else 20):
            assert there <= replicas + above
            assert ready >= replicas - below
    assert {p.spec.containers[0].image for p in lab.all("Pod")} == {images[-1]}
    assert len(lab.all("Pod")) == replicas
