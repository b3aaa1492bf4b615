"""A HorizontalPodAutoscaler follows the load, up at once and down after five minutes."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.addons import manifests
from k8slab.api.apps import Deployment
from k8slab.api.autoscaling import HorizontalPodAutoscaler
from tests.conformance import lab

PHP = "registry.k8s.io/hpa-example"
LOAD = "while sleep 0.01; do wget -q -O- http://web; done"
HUNGRY = {"requests": {"cpu": "200m"}, "limits": {"cpu": "500m"}}


def autoscaled(cluster: Cluster, metrics: bool = True) -> None:
    if metrics:
        cluster.kubectl("apply -f -", manifests.text("metrics-server"))
    lab.apply(
        cluster,
        lab.deployment("web", 1, lab.container(image=PHP, resources=HUNGRY)),
        lab.service("web", 80),
    )
    cluster.kubectl("autoscale deployment web --cpu=50% --min=1 --max=10")


def size(cluster: Cluster) -> int:
    found = cluster.view.get(Deployment, "web")
    assert found is not None
    return found.spec.replicas or 0


@pytest.fixture(scope="module")
def under_load() -> Cluster:
    cluster = Cluster(workers=2, seed=7)
    autoscaled(cluster)
    cluster.run(60)
    cluster.kubectl(f'run load --image=busybox:1.37 --restart=Never -- sh -c "{LOAD}"')
    cluster.run(180)
    return cluster


def test_more_load_makes_more_pods_until_each_does_as_much_as_aimed_at(under_load: Cluster) -> None:
    assert 5 <= size(under_load) <= 7
    target = lab.column(under_load, "hpa", "web", "TARGETS")
    assert 40 <= int(target.removeprefix("cpu: ").partition("%")[0]) <= 55
    first = lab.events(under_load, "web", "SuccessfulRescale")[0]
    text = "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    assert first == text  # at most twice as many, or 4


def test_when_the_load_ends_the_pods_stay_for_five_minutes(under_load: Cluster) -> None:
    fork = under_load.fork()
    fork.kubectl("delete pod load --now")
    ended, before = fork.now, size(fork)
    while size(fork) == before:
        fork.run(5)
    assert 300 <= fork.now - ended <= 345
    assert size(fork) == 1
    last = lab.events(fork, "web", "SuccessfulRescale")[-1]
    assert last == "New size: 1; reason: All metrics below target"


def test_what_pods_use_can_be_asked(under_load: Cluster) -> None:
    raw = under_load.kubectl("get --raw /apis/metrics.k8s.io/v1beta1/namespaces/default/pods")
    assert '"kind":"PodMetricsList"' in raw.replace(" ", "")


def test_without_a_metrics_server_nothing_is_scaled_and_the_reason_is_told() -> None:
    cluster = Cluster(workers=1, seed=7)
    autoscaled(cluster, metrics=False)
    cluster.run(60)
    hpa = cluster.view.get(HorizontalPodAutoscaler, "web")
    active = lab.condition(hpa, "ScalingActive")
    assert (active.status, active.reason) == ("False", "FailedGetResourceMetric")
    text = "the server could not find the requested resource (get pods.metrics.k8s.io)"
    assert active.message.endswith(text)
    assert lab.column(cluster, "hpa", "web", "TARGETS") == "cpu: <unknown>/50%"


def test_the_metrics_server_is_ready_when_it_has_heard_the_kubelets_twice() -> None:
    cluster = Cluster(workers=1, seed=1)
    lab.apply(
        cluster,
        lab.pod("client", lab.container(image="curlimages/curl", command=["sleep", "9999"])),
    )
    lab.ready(cluster, "client")
    cluster.kubectl("apply -f -", manifests.text("metrics-server"))
    where = "-n kube-system -l k8s-app=metrics-server -o jsonpath='{.items[0].status.podIP}'"
    cluster.run(5)
    asked = f"exec client -- curl -s http://{cluster.kubectl(f'get pods {where}')}:10250"
    assert cluster.kubectl(f"{asked}/livez") == "ok"
    assert "[-]metric-storage-ready failed" in cluster.kubectl(f"{asked}/readyz")
    cluster.run(15)
    assert cluster.kubectl(f"{asked}/readyz") == "ok"


def test_a_target_that_is_not_there_is_told() -> None:
    cluster = Cluster(workers=1, seed=7)
    autoscaled(cluster, metrics=False)
    cluster.kubectl("delete deployment web")
    cluster.run(30)
    hpa = cluster.view.get(HorizontalPodAutoscaler, "web")
    able = lab.condition(hpa, "AbleToScale")
    assert (able.status, able.reason) == ("False", "FailedGetScale")
    why = "the HPA controller was unable to get the target's current scale: "
    assert able.message == f'{why}deployments/scale.apps "web" not found'


def test_what_was_defined_is_scaled_like_a_deployment() -> None:
    cluster = Cluster(workers=1, seed=7)
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
    number = {"type": "object", "properties": {"size": {"type": "integer"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {"type": "object", "properties": {"spec": number, "status": number}}
        },
        "subresources": {"status": {}, "scale": scale},
    }
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "farms.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "farms", "kind": "Farm"},
            "versions": [version],
        },
    }
    lab.apply(cluster, crd)
    cluster.run(5)
    farm = {"apiVersion": "example.com/v1", "kind": "Farm", "metadata": {"name": "f"}}
    lab.apply(cluster, {**farm, "spec": {"size": 1}})
    hpa = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "f"},
        "spec": {
            "minReplicas": 3,
            "maxReplicas": 5,
            "scaleTargetRef": {"apiVersion": "example.com/v1", "kind": "Farm", "name": "f"},
        },
    }
    lab.apply(cluster, hpa)
    cluster.run(20)
    assert cluster.kubectl("get farm f -o jsonpath='{.spec.size}'") == "3"
    told = lab.events(cluster, "f", "SuccessfulRescale")
    assert told == ["New size: 3; reason: Current number of replicas below Spec.MinReplicas"]


def test_the_metrics_server_reads_with_the_rights_of_its_service_account() -> None:
    cluster = Cluster(workers=1, seed=7, rbac=True)
    cluster.kubectl("apply -f -", manifests.text("metrics-server"))
    cluster.run(60)
    assert "worker-1" in cluster.kubectl("top nodes")
    cluster.kubectl("delete clusterrolebinding system:metrics-server")
    cluster.kubectl("rollout restart deployment metrics-server -n kube-system")
    cluster.run(60)
    assert cluster.kubectl("top nodes") == "error: metrics not available yet\n"
