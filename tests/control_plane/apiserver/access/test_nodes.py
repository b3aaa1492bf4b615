"""Kubelets: what they may read depends on what runs on their node."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.core import Binding, ObjectReference

NODE = "system:node:worker-1"


@pytest.fixture
def on_node(guarded: Any) -> Any:
    for name in ("used", "other"):
        guarded.make({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})
    container = {"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": "used"}}]}
    meta, spec = {"name": "web"}, {"containers": [container]}
    guarded.make({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    binding = Binding(target=ObjectReference(kind="Node", name="worker-1"))
    guarded.ask("system:apiserver", "create", "Pod", "web", subresource="binding", body=binding)
    return guarded


def test_a_kubelet_reads_the_secrets_of_its_pods(on_node: Any) -> None:
    assert on_node.ask(NODE, "get", "Secret", "used").metadata.name == "used"
    assert on_node.refused(NODE, "get", "Secret", "other") == (
        'secrets "other" is forbidden: User "system:node:worker-1" cannot get resource "secrets" '
        'in API group "" in the namespace "default": no relationship found between node '
        "'worker-1' and this object"
    )
    on_node.refused("system:node:worker-2", "get", "Secret", "used")


def test_a_kubelet_lists_its_own_pods(on_node: Any) -> None:
    own = on_node.ask(NODE, "list", "Pod", namespace="", field_selector="spec.nodeName=worker-1")
    assert len(own.items) == 1
    assert "can only list/watch pods with spec.nodeName field selector" in on_node.refused(
        NODE, "list", "Pod", namespace=""
    )


def test_a_kubelet_writes_no_secrets(on_node: Any) -> None:
    assert on_node.refused(NODE, "delete", "Secret", "used").endswith(
        "can only read resources of this type"
    )


def test_a_kubelet_renews_its_own_lease(guarded: Any) -> None:
    text = guarded.refused(NODE, "get", "Lease", "worker-2", namespace="kube-node-lease")
    assert "can only access node lease with the same name as the requesting node" in text
    assert "can only access leases in the" in guarded.refused(NODE, "get", "Lease", "worker-1")


def test_others_with_such_a_name_are_no_nodes(guarded: Any) -> None:
    text = guarded.refused("node:worker-1", "get", "Node", "worker-1")
    assert text.endswith("at the cluster scope")
