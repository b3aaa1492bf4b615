"""A cluster whose API server asks for roles: it boots, it works, and it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod, Service
from k8slab.api.pods import is_pod_ready

GUESTBOOK = Path(__file__).parents[2] / "docs" / "guestbook.yaml"
ROBOT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: robot-looks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: robot}]
"""


@pytest.fixture(scope="module")
def guarded() -> Cluster:
    return Cluster(workers=2, seed=7, rbac=True)


def test_the_guestbook_runs_with_rbac(guarded: Cluster) -> None:
    guarded.apply(GUESTBOOK.read_text(encoding="utf-8"))
    guarded.run_until("deployment/frontend available")
    pods = guarded.view.list(Pod, "default")
    guarded.run_until(lambda c: all(is_pod_ready(p) for p in c.view.list(Pod, "default")))
    assert pods
    frontend = guarded.view.get(Service, "frontend", "default")
    assert guarded.request("node/worker-1", f"http://{frontend.spec.clusterIP}").served_by


def test_view_is_made_of_other_roles_and_reads_no_secrets(guarded: Cluster) -> None:
    guarded.apply(ROBOT)
    robot = "--as system:serviceaccount:default:robot"
    assert guarded.kubectl(f"auth can-i list deployments.apps {robot}") == "yes\n"
    assert guarded.kubectl(f"auth can-i get secrets {robot}") == "no\n"
    assert "forbidden" in guarded.kubectl(f"delete pod --all {robot}")


def test_the_administrator_has_a_role_like_everybody(guarded: Cluster) -> None:
    assert "kubeadm:cluster-admins" in guarded.kubectl("auth whoami")
    assert guarded.kubectl("auth can-i '*' '*'") == "yes\n"


def test_the_manifest_of_the_api_server_says_how_it_decides(guarded: Cluster) -> None:
    for cluster, mode in ((guarded, "Node,RBAC"), (Cluster(workers=0), "AlwaysAllow")):
        text = cluster.kubectl("get pod kube-apiserver-control-plane -n kube-system -o yaml")
        assert f"--authorization-mode={mode}\n" in text


def test_without_rbac_all_is_allowed() -> None:
    cluster = Cluster(workers=0)
    assert cluster.kubectl("auth can-i delete nodes --as eve -q") == (
        "Warning: resource 'nodes' is not namespace scoped\n\n"
    )
    assert cluster.kubectl("auth whoami --as eve").splitlines()[1].split() == ["Username", "eve"]
