from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.cluster.conftest import WEB

TROUBLES = """
apiVersion: v1
kind: Pod
metadata: {name: big}
spec: {containers: [{name: big, image: nginx, resources: {requests: {cpu: "99"}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: loop}
spec: {containers: [{name: loop, image: busybox, command: [sh, -c, "echo no; exit 3"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: typo}
spec: {containers: [{name: web, image: "ngnix:1.27"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: unready, labels: {app: unready}}
spec:
  containers:
  - name: web
    image: nginx
    readinessProbe: {httpGet: {path: /ghost, port: 80}, periodSeconds: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: keyless}
spec:
  containers:
  - name: web
    image: nginx
    env: [{name: KEY, valueFrom: {configMapKeyRef: {name: ghost, key: key}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: gated}
spec: {schedulingGates: [{name: example.com/wait}], containers: [{name: web, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: failed}
spec:
  restartPolicy: Never
  containers: [{name: job, image: busybox, command: [sh, -c, "echo no; exit 4"]}]
---
apiVersion: v1
kind: Service
metadata: {name: unready}
spec: {selector: {app: unready}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def troubles() -> Cluster:
    cluster = Cluster(workers=2, seed=7)
    cluster.apply(WEB)
    cluster.apply(TROUBLES)
    cluster.run(60)
    return cluster


@pytest.mark.parametrize(
    ("what", "told", "look"),
    [
        (
            "pod/big",
            'node worker-1: NodeResourcesFit says "Insufficient cpu"',
            "kubectl describe pod big",
        ),
        (
            "pod/loop",
            "container loop ends again and again: it was restarted 3 times and last ended with "
            "exit code 3",
            "kubectl logs loop -c loop --previous",
        ),
        (
            "pod/typo",
            "image ngnix:1.27 of container web cannot be pulled: the registry has no such repo",
            "kubectl describe pod typo",
        ),
        (
            "pod/unready",
            "its readiness probe has not succeeded; last it said: Readiness probe failed: HTTP "
            "probe failed with statuscode: 404",
            "kubectl describe pod unready",
        ),
        (
            "pod/keyless",
            'cannot be started (CreateContainerConfigError): configmap "ghost" not found',
            "kubectl describe pod keyless",
        ),
        ("pod/gated", "it is Pending: Scheduling is blocked", "kubectl describe pod gated"),
        ("pod/failed", "container job ended with exit code 4; its restartPolicy is Never", "logs"),
        ("service/unready", "of its Pods none is ready: unready", 'cluster.why("pod/unready")'),
        ("service/nobody", "it selects app=nobody, and no Pod has these labels", "--show-labels"),
    ],
)
def test_trouble_is_named_and_shown_where_to_look(
    troubles: Cluster, what: str, told: str, look: str
) -> None:
    explanation = troubles.why(what)
    assert told in explanation.text
    assert any(look in command for command in explanation.next)
    assert "because you ran: kubectl apply -f -" in explanation.text


@pytest.mark.parametrize("what", ["pod/client", "service/web", "deployment/web", "node/worker-1"])
def test_what_is_well_has_no_findings(troubles: Cluster, what: str) -> None:
    assert troubles.why(what).findings == ()


@pytest.mark.parametrize(
    "what", ["pod/big", "pod/loop", "pod/typo", "pod/unready", "pod/failed", "service/nobody"]
)
def test_every_command_to_look_next_works(troubles: Cluster, what: str) -> None:
    for command in troubles.why(what).next:
        assert command.startswith("kubectl ")
        printed = troubles.fork().kubectl(command)
        assert printed
        assert not printed.lower().startswith("error")


def test_a_workload_tells_of_its_first_pod_in_trouble() -> None:
    cluster = Cluster(workers=1)
    cluster.kubectl("create deployment web --image=ngnix:1.27 --replicas=2")
    cluster.run(30)
    text = cluster.why("deployment/web").text
    assert "2 of its 2 Pods are in trouble" in text
    assert "image ngnix:1.27 of container ngnix cannot be pulled" in text


def test_without_a_scheduler_nobody_has_looked_at_the_pod() -> None:
    cluster = Cluster(workers=1)
    cluster.stop("kube-scheduler")
    cluster.kubectl("run web --image=nginx")
    cluster.run(20)
    assert "Pending and no scheduler has looked at it" in cluster.why("pod/web").text


def test_a_pod_of_a_dead_node_says_so() -> None:
    cluster = Cluster(workers=1)
    cluster.kubectl("run web --image=nginx")
    cluster.run_until("pod/web ready")
    cluster.break_node("worker-1")
    cluster.run(60)
    assert "placed on worker-1, and that node is not Ready" in cluster.why("pod/web").text


def test_a_field_knows_the_write_that_gave_it_its_value(troubles: Cluster) -> None:
    explanation = troubles.why("pod/client", field="spec.nodeName")
    node = troubles.view.get("pod", "client").spec.nodeName  # type: ignore[attr-defined]
    assert explanation.text.startswith(f"Pod/default/client: spec.nodeName is {node}, since rev")
    assert explanation.records[0].verb == "create binding"
    assert explanation.revisions[0] == explanation.records[0].revision
    assert "def schedule_pod(" in explanation.source
    with pytest.raises(LookupError, match="there is no field 'nodename'"):
        troubles.why("pod/client", field="spec.nodename")


def test_a_restart_is_traced_to_who_killed() -> None:
    cluster = Cluster(workers=1)
    cluster.kill("kube-scheduler")
    cluster.run(20)
    name = "kube-system/pod/kube-scheduler-control-plane"
    text = cluster.why(name, field="status.containerStatuses[0].restartCount").text
    assert "restartCount is 1" in text
    assert text.endswith("because you ran: cluster.kill('kube-scheduler')")


@pytest.mark.parametrize(
    ("pod", "node", "told"),
    [
        ("pod/big", "worker-1", 'worker-1 does not fit: NodeResourcesFit says "Insufficient cpu"'),
        ("pod/client", "control-plane", "control-plane does not fit: TaintToleration says"),
        ("pod/gated", "worker-2", "worker-2 does not fit: SchedulingGates says"),
    ],
)
def test_a_node_that_refused_is_named_with_the_plugin(
    troubles: Cluster, pod: str, node: str, told: str
) -> None:
    assert told in troubles.why_not(pod, node).text


def test_a_node_that_would_have_done_scored_less_or_the_same(troubles: Cluster) -> None:
    placed = troubles.view.get("pod", "client").spec.nodeName  # type: ignore[attr-defined]
    other = {"worker-1": "worker-2", "worker-2": "worker-1"}[placed]
    text = troubles.why_not("pod/client", other).text
    assert f"{other} scored" in text or f"{other} fits, but scored" in text
    assert f"it is on {placed}" in troubles.why_not("pod/client", placed).text
    with pytest.raises(LookupError, match='nodes "worker-9" not found; there are control-plane'):
        troubles.why_not("pod/client", "worker-9")
    with pytest.raises(TypeError, match="places Pods"):
        troubles.why_not("service/web", "worker-1")
