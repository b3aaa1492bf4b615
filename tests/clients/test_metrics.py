"""Real kubectl asks what Pods and nodes use, by way of an add-on."""

from __future__ import annotations

from k8slab.addons import manifests


def test_top_needs_a_metrics_server_and_then_tells(kubectl) -> None:
    asked = kubectl.run("top nodes")
    assert "Metrics API not available" in asked.stderr
    kubectl("apply -f -", stdin=manifests.text("metrics-server"))
    kubectl("rollout status deployment/metrics-server -n kube-system --timeout=60s")
    kubectl("wait --for=condition=Ready pod -l k8s-app=metrics-server -n kube-system --timeout=60s")
    deadline = 20
    while kubectl.run("top pods -n kube-system").returncode and deadline:
        kubectl("wait --for=delete pod/nobody --timeout=5s")
        deadline -= 1
    nodes = kubectl("top nodes").splitlines()
    assert nodes[0].split() == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert len(nodes) > 1
    assert "coredns" in kubectl("top pods -n kube-system")
    listed = kubectl("api-resources --api-group=metrics.k8s.io").splitlines()[1:]
    assert [line.split()[-1] for line in listed] == ["NodeMetrics", "PodMetrics"]
    assert '"window"' in kubectl("get --raw /apis/metrics.k8s.io/v1beta1/nodes")
