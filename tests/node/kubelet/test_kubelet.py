"""The kubelet as a process: registration, static Pods, outages, restarts, its own API."""

from __future__ import annotations

import pytest

from k8slab.api.conditions import get_condition
from k8slab.api.coordination import Lease
from k8slab.api.core import Event, Node, Pod
from k8slab.api.errors import ApiError
from k8slab.client import Request
from k8slab.node.kubelet import KubeletConfiguration
from tests.node.kubelet.lab import NODE, Lab, container, shell

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  hostNetwork: true
  containers:
  - {name: web, image: "example.com/web:v1"}
"""
PATH = "etc/kubernetes/manifests/web.yaml"


def ready(lab: Lab) -> tuple[str, str]:
    node = lab.do(lab.client.get(Node, NODE))
    condition = get_condition(node.status.conditions, "Ready")
    assert condition is not None
    return condition.status, condition.message


def test_the_node_registers_itself_and_becomes_ready_with_its_network(bare: Lab) -> None:
    bare.start_api()
    bare.start_kubelet(labels={"zone": "a"})
    bare.run(2)
    node = bare.do(bare.client.get(Node, NODE))
    assert node.metadata.labels["kubernetes.io/hostname"] == NODE
    assert node.metadata.labels["zone"] == "a"
    assert node.status.allocatable["memory"] == "8092Mi"  # 100Mi less than the capacity
    assert ready(bare) == (
        "False",
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
        "message:Network plugin returns error: cni plugin not initialized",
    )
    bare.connect_pods()
    bare.run(1)
    assert ready(bare) == ("True", "kubelet is posting ready status")
    events = bare.do(bare.client.list(Event, "default")).items
    reasons = [e.reason for e in events if e.involvedObject.kind == "Node"]
    assert reasons[0] == "Starting"
    assert reasons[-1] == "NodeReady"


def test_static_pods_start_without_an_api_server(bare: Lab) -> None:
    bare.machine.disk.write(PATH, MANIFEST)
    bare.start_kubelet()
    bare.run(5)
    assert [c.state for c in bare.runtime.containers()] == ["RUNNING"]


def test_a_static_pod_gets_a_mirror_once_there_is_an_api_server(bare: Lab) -> None:
    bare.machine.disk.write(PATH, MANIFEST)
    bare.start_kubelet()
    bare.run(5)
    bare.start_api()
    bare.run(20)
    mirror = bare.pod(f"web-{NODE}")
    annotations = mirror.metadata.annotations
    assert annotations["kubernetes.io/config.source"] == "file"
    assert annotations["kubernetes.io/config.mirror"] == annotations["kubernetes.io/config.hash"]
    assert mirror.metadata.ownerReferences[0].kind == "Node"
    assert ("Exists", "NoExecute", None) in [
        (t.operator, t.effect, t.tolerationSeconds) for t in mirror.spec.tolerations
    ]
    assert mirror.status.phase == "Running"


def test_a_deleted_mirror_comes_back_and_the_container_never_stops(bare: Lab) -> None:
    bare.start_api()
    bare.machine.disk.write(PATH, MANIFEST)
    bare.start_kubelet()
    bare.run(20)
    uid = bare.pod(f"web-{NODE}").metadata.uid
    bare.delete(f"web-{NODE}")
    bare.run(5)
    assert bare.pod(f"web-{NODE}").metadata.uid != uid
    assert [c.state for c in bare.runtime.containers()] == ["RUNNING"]


def test_removing_the_file_ends_the_static_pod_and_its_mirror(bare: Lab) -> None:
    bare.start_api()
    bare.machine.disk.write(PATH, MANIFEST)
    bare.start_kubelet()
    bare.run(20)
    bare.machine.disk.remove(PATH)
    bare.run(40)
    assert bare.runtime.sandboxes() == []
    assert not bare.exists(f"web-{NODE}")


def test_changing_the_file_replaces_the_static_pod(bare: Lab) -> None:
    bare.start_api()
    bare.machine.disk.write(PATH, MANIFEST)
    bare.start_kubelet()
    bare.run(20)
    changed = MANIFEST.replace("namespace: default", "namespace: default, labels: {v: two}")
    bare.machine.disk.write(PATH, changed)
    bare.run(60)
    assert len(bare.runtime.sandboxes()) == 1
    assert bare.pod(f"web-{NODE}").metadata.labels == {"v": "two"}


def test_a_bad_manifest_is_noted_and_does_not_stop_the_others(bare: Lab) -> None:
    bare.machine.disk.write("etc/kubernetes/manifests/bad.yaml", "kind: Podd\n")
    bare.machine.disk.write(PATH, MANIFEST)
    bare.start_kubelet()
    bare.run(5)
    assert len(bare.runtime.containers()) == 1
    assert any("bad.yaml" in record.detail for record in bare.sim.trace)


def test_running_pods_survive_an_outage_of_the_api_server(lab: Lab) -> None:
    lab.run_pod(container(livenessProbe={"httpGet": {"port": 80}, "failureThreshold": 1}))
    lab.run(5)
    lab.stop_api()
    lab.health = 500
    lab.run(60)
    lab.health = 200
    assert len(lab.runtime.containers()) == 2  # the probe has had it restarted
    lab.start_api()
    lab.run(120)
    assert lab.pod().status.containerStatuses[0].restartCount >= 1


def test_a_new_kubelet_takes_over_what_runs(lab: Lab) -> None:
    lab.run_pod(
        container(volumeMounts=[{"name": "d", "mountPath": "/d"}]),
        volumes=[{"name": "d", "emptyDir": {}}],
    )
    lab.run(5)
    before = lab.runtime.containers()
    lab.stop_kubelet()
    lab.run(20)
    lab.start_kubelet()
    lab.run(20)
    assert [c.id for c in lab.runtime.containers()] == [c.id for c in before]
    assert lab.conditions()["Ready"] == "True"


def test_a_new_kubelet_ends_what_belongs_to_no_pod(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    lab.stop_kubelet()
    lab.delete(grace=0)
    lab.start_kubelet()
    lab.run(10)
    assert lab.runtime.sandboxes() == []


def test_a_deletion_during_an_absence_is_carried_out(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    lab.stop_kubelet()
    lab.delete()
    lab.run(60)
    assert lab.exists()
    lab.start_kubelet()
    lab.run(10)
    assert not lab.exists()


def test_the_lease_is_written_once_and_the_heartbeat_goes_on_without_writes(lab: Lab) -> None:
    lease = lab.do(lab.client.get(Lease, NODE, "kube-node-lease"))
    assert (lease.spec.holderIdentity, lease.spec.leaseDurationSeconds) == (NODE, 40)
    lab.run(1000)
    again = lab.do(lab.client.get(Lease, NODE, "kube-node-lease"))
    assert again.metadata.resourceVersion == lease.metadata.resourceVersion
    heartbeat = lab.kubelet.last_heartbeat()
    assert heartbeat is not None
    assert lab.sim.now - 10 < heartbeat <= lab.sim.now
    lab.stop_kubelet()
    died = lab.sim.now
    lab.run(100)
    last = lab.kubelet.last_heartbeat()
    assert last is not None
    assert died - 10 < last <= died


def test_with_heartbeats_as_events_the_lease_is_renewed_each_ten_seconds(bare: Lab) -> None:
    bare.start_api()
    bare.start_kubelet(config=KubeletConfiguration(heartbeats="events"))
    bare.run(65)
    writes = [r for r in bare.sim.trace if r.subject.startswith("Lease/") and r.revision]
    assert 6 <= len(writes) <= 8


def test_an_idle_day_costs_nothing(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(60)
    before = lab.sim.events
    lab.run(86400)
    # the Events of the start expire after an hour; the kubelet itself does nothing
    assert lab.sim.events - before < 50


def log(lab: Lab, **options: str) -> str:
    request = Request(
        verb="get",
        resource="pods",
        namespace="default",
        name="web",
        subresource="log",
        options=tuple(options.items()),
    )
    text = lab.do(lab.kubelet.serve(request))
    assert isinstance(text, str)
    return text


def test_logs_by_tail_and_of_the_container_before_the_restart(lab: Lab) -> None:
    mounts = [{"name": "v", "mountPath": "/v"}]
    script = "echo run >> /v/runs; cat /v/runs; echo end; sleep 5; exit 1"
    lab.run_pod(shell(script, volumeMounts=mounts), volumes=[{"name": "v", "emptyDir": {}}])
    lab.run(12)
    assert log(lab) == "run\nrun\nend\n"
    assert log(lab, tailLines="1") == "end\n"
    assert log(lab, tailLines="0") == ""
    assert log(lab, previous="true") == "run\nend\n"
    assert log(lab, timestamps="true").startswith("2026-01-01T00:00:2")
    with pytest.raises(ApiError, match="container nope is not valid for pod web"):
        log(lab, container="nope")


def test_a_pod_of_several_containers_wants_one_named(lab: Lab) -> None:
    lab.run_pod(shell("sleep 99", "a"), shell("echo hi; sleep 99", "b"))
    lab.run(5)
    with pytest.raises(ApiError, match=r"specified for pod web, choose one of: \[a b\]"):
        log(lab)
    assert log(lab, container="b") == "hi\n"


def test_exec_runs_a_command(lab: Lab) -> None:
    lab.run_pod(shell("sleep 9999"))
    lab.run(5)
    options = (("command", "echo"), ("command", "hi"))
    request = Request(
        verb="create",
        resource="pods",
        namespace="default",
        name="web",
        subresource="exec",
        options=options,
    )
    result = lab.do(lab.kubelet.serve(request))
    assert (result.stdout, result.exit_code) == ("hi\n", 0)


def test_other_nodes_pods_are_none_of_its_business(lab: Lab) -> None:
    lab.run_pod(container(), nodeName="worker-2")
    lab.run(10)
    assert lab.runtime.sandboxes() == []
    assert lab.pod().status.phase == "Pending"
    assert isinstance(lab.pod(), Pod)


def test_what_others_write_into_a_status_is_corrected(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    patch = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    lab.do(lab.client.patch(Pod, "web", patch, "default", subresource="status"))
    lab.run(1)
    assert lab.conditions()["Ready"] == "True"


def test_a_node_that_others_declared_unknown_declares_itself_ready_again(lab: Lab) -> None:
    unknown = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    patch = {"status": {"conditions": [unknown]}}
    lab.do(lab.client.patch(Node, NODE, patch, subresource="status"))
    lab.run(1)
    assert ready(lab) == ("True", "kubelet is posting ready status")


def test_a_cut_off_node_stops_beating_until_it_is_connected_again(lab: Lab) -> None:
    lab.kubelet.disconnected()
    cut = lab.sim.now
    lab.run(100)
    last = lab.kubelet.last_heartbeat()
    assert last is not None
    assert cut - 10 < last <= cut
    lab.kubelet.reconnected()
    lab.run(1)
    again = lab.kubelet.last_heartbeat()
    assert again is not None
    assert again > cut + 99
