from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from k8slab import Cluster
from k8slab.api.core import Node, Pod
from tests.cluster.conftest import WEB, create

SYSTEM_PODS = {
    "etcd": 1,
    "kube-apiserver": 1,
    "kube-controller-manager": 1,
    "kube-scheduler": 1,
    "coredns": 2,
    "kindnet": 4,
    "kube-proxy": 4,
}


def test_a_fresh_cluster_has_what_kubeadm_makes() -> None:
    pods = Cluster(workers=3, seed=1).view.list(Pod)
    for name, count in SYSTEM_PODS.items():
        found = [p for p in pods if p.metadata.name.startswith(f"{name}-")]
        assert len(found) == count, name
    assert len(pods) == sum(SYSTEM_PODS.values())


def test_a_cluster_may_be_forgotten_at_any_moment(recwarn: pytest.WarningsRecorder) -> None:
    cluster = Cluster(workers=0, seed=1)
    cluster.stop("etcd")  # writes to a disk that the kubelet watches
    del cluster
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


def test_a_killed_scheduler_comes_back_and_pods_wait_meanwhile() -> None:
    cluster = Cluster(workers=1, seed=1)
    cluster.kill("kube-scheduler")
    create(cluster, WEB)
    cluster.run(0.2)
    assert {p.spec.nodeName for p in cluster.view.list(Pod, "default")} <= {""}
    cluster.run_until("deployment/web available")
    scheduler = cluster.view.get(Pod, "kube-scheduler-control-plane", "kube-system")
    assert scheduler is not None
    assert scheduler.status.containerStatuses[0].restartCount == 1


def test_etcd_down_means_no_answers_and_nothing_forgotten(cluster: Cluster) -> None:
    cluster.stop("etcd")
    cluster.run(5)
    assert cluster.request("pod/client", "http://web").ok
    before = {p.metadata.name for p in cluster.view.list(Pod, "default")}
    cluster.start("etcd")
    cluster.run(60)
    assert {p.metadata.name for p in cluster.view.list(Pod, "default")} == before


def test_a_dead_nodes_pods_are_replaced_after_the_grace_and_the_toleration(
    cluster: Cluster,
) -> None:
    victim = next(p for p in cluster.view.list(Pod, "default") if p.metadata.name != "client")
    node, died = victim.spec.nodeName, cluster.now
    cluster.break_node(node)

    def ready(c: Cluster) -> str:
        conditions = c.view.get(Node, node).status.conditions  # type: ignore[union-attr]
        return next(x.status for x in conditions if x.type == "Ready")

    cluster.run_until(lambda c: ready(c) == "Unknown")
    assert 40 <= cluster.now - died <= 60
    name = victim.metadata.name
    gone = cluster.run_until(
        lambda c: c.view.get(Pod, name).metadata.deletionTimestamp  # type: ignore[union-attr]
    )
    assert 340 <= gone - died <= 370
    cluster.run_until("deployment/web available")
    assert cluster.view.get(Pod, name) is not None  # stuck: only its kubelet could confirm


def test_every_heartbeat_is_a_write_for_who_wants_to_see_them() -> None:
    quiet, loud = (Cluster(workers=1, seed=1, heartbeats=kind) for kind in ("lazy", "events"))
    for cluster in (quiet, loud):
        cluster.run(100)
    renewals = [
        sum(r.time > 50 for r in cluster.trace.about("Lease/kube-node-lease/worker-1"))
        for cluster in (quiet, loud)
    ]
    assert renewals[0] == 0
    assert 5 <= renewals[1] <= 7
    with pytest.raises(ValueError, match="heartbeats are one of lazy, events, got 'never'"):
        Cluster(heartbeats="never")


def test_the_past_can_be_looked_at(cluster: Cluster) -> None:
    assert cluster.at(0).list(Pod) == []
    assert len(cluster.at(cluster.now).list(Pod, "default")) == 4


def test_waiting_for_what_never_comes_ends(cluster: Cluster) -> None:
    with pytest.raises(TimeoutError, match="deployment/ghost available: not so after 10"):
        cluster.run_until("deployment/ghost available", timeout=10)
    with pytest.raises(ValueError, match="expected an object and a condition"):
        cluster.run_until("web")


PROGRAM = """
from k8slab import Cluster
from tests.cluster.conftest import WEB, create
cluster = Cluster(workers=3, seed=7)
create(cluster, WEB)
cluster.run_until("deployment/web available")
cluster.run_until("pod/client ready")
cluster.request("pod/client", "http://web")
cluster.run(30)
print(cluster.trace.digest(), len(cluster.trace))
"""


def test_the_same_seed_gives_the_same_bytes_in_every_process() -> None:
    digests = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd()}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout)
    assert len(digests) == 1


def test_the_241st_machine_widens_the_networks() -> None:
    cluster = Cluster(workers=260, boot=False)
    machines = [host.machine for host in cluster.world.hosts.values()]
    own = {machine.net.interfaces["eth0"].addresses[0] for machine in machines}
    assert len(own) == 261
    assert "192.168.11.14/16" in own
    assert "10.240.0.0/12" in machines[0].disk.read(
        "/etc/kubernetes/manifests/kube-controller-manager.yaml"
    )
