"""What no sequence of wishes and faults may bring about: a Pod on two nodes, a node overbooked."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.core import Node, Pod
from k8slab.api.pods import is_pod_terminal
from k8slab.api.requests import amounts, pod_requests

WORKERS = ("worker-1", "worker-2")
FLEET = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
        resources: {{requests: {{cpu: {cpu}m}}}}
"""
MORE_THAN_FITS = ("apply", "big", 6, 1900)
ACTS = st.one_of(
    st.tuples(
        st.just("apply"),
        st.sampled_from(["big", "small"]),
        st.integers(0, 6),
        st.sampled_from([300, 900, 1900]),
    ),
    st.tuples(st.just("kill"), st.sampled_from(["kube-scheduler", "kube-controller-manager"])),
    st.tuples(st.just("break"), st.sampled_from(WORKERS)),
    st.tuples(st.just("repair"), st.sampled_from(WORKERS)),
    st.tuples(st.just("cordon"), st.sampled_from(WORKERS)),
    st.tuples(st.just("drain"), st.sampled_from(WORKERS)),
    st.tuples(st.just("pass"), st.sampled_from([1, 60, 400])),
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(ACTS, min_size=3, max_size=8), st.integers(0, 99))
def test_no_pod_is_ever_on_two_nodes_and_no_node_gives_more_than_it_has(
    acts: list[tuple[Any, ...]], seed: int
) -> None:
    cluster = Cluster(workers=len(WORKERS), seed=seed)
    places: dict[str, str] = {}
    broken: set[str] = set()
    for act in (MORE_THAN_FITS, *acts):
        do(cluster, broken, *act)
        for _ in range(4):
            cluster.run(0.7)
            look(cluster, places)


def do(cluster: Cluster, broken: set[str], act: str, *details: Any) -> None:
    if act == "apply":
        name, replicas, cpu = details
        cluster.apply(FLEET.format(name=name, replicas=replicas, cpu=cpu))
    elif act == "kill":
        with suppress(ValueError):  # it is waiting for its restart
            cluster.kill(details[0])
    elif act == "break" and details[0] not in broken:
        broken.add(details[0])
        cluster.break_node(details[0])
    elif act == "repair" and details[0] in broken:
        broken.remove(details[0])
        cluster.repair_node(details[0])
    elif act == "cordon":
        cluster.kubectl(f"cordon {details[0]}")
    elif act == "drain" and details[0] not in broken:
        cluster.kubectl(f"drain {details[0]} --ignore-daemonsets --force --timeout=60s")
        cluster.kubectl(f"uncordon {details[0]}")
    elif act == "pass":
        cluster.run(float(details[0]))


def look(cluster: Cluster, places: dict[str, str]) -> None:
    """Claim both of the present moment; `places` are the nodes of Pods by uid, from the past."""
    booked: dict[str, Counter[str]] = {}
    for pod in cluster.view.list(Pod):
        node, uid = pod.spec.nodeName, pod.metadata.uid
        if not node:
            assert uid not in places, f"{pod.metadata.name} was on {places[uid]}"
            continue
        assert places.setdefault(uid, node) == node
        # The kubelet would refuse what the scheduler should not have sent.
        assert pod.status.reason != "OutOfcpu", pod.metadata.name
        if not is_pod_terminal(pod):
            booked.setdefault(node, Counter()).update({**pod_requests(pod), "pods": 1})
    for one in cluster.view.list(Node):
        has = amounts(one.status.allocatable)
        for what, amount in booked.get(one.metadata.name, Counter()).items():
            assert amount <= has[what], f"{one.metadata.name}: {amount} of {has[what]} {what}"
    running = Counter(
        sandbox.config.uid
        for host in cluster.world.hosts.values()
        for sandbox in {each.config.uid: each for each in host.containerd.sandboxes()}.values()
        if sandbox.state == "SANDBOX_READY"
    )
    assert running  # static Pods at least
    assert [uid for uid, machines in running.items() if machines > 1] == []
