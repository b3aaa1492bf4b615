from __future__ import annotations

from typing import Any

from k8slab.api import load
from k8slab.control_plane.controllers.namespace import conditions_for


def namespace(name: str = "shop") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def test_conditions_say_what_is_left_and_what_holds_it() -> None:
    held = load(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c", "finalizers": ["example.com/hold"]},
        }
    )
    found = conditions_for(load(namespace()), {"configmaps.": [held]}, 5.0)
    told = {c.type: (c.status, c.reason, c.message) for c in found}
    assert told["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: configmaps. has 1 resource instances",
    )
    assert told["NamespaceFinalizersRemaining"][2] == (
        "Some content in the namespace has finalizers remaining: "
        "example.com/hold in 1 resource instances"
    )
    assert told["NamespaceDeletionContentFailure"][0] == "False"


def test_a_new_namespace_has_its_service_account_and_certificate(lab: Any) -> None:
    lab.apply(namespace())
    lab.run(0.1)
    assert lab.get("ServiceAccount", "default", namespace="shop")
    assert "ca.crt" in lab.get("ConfigMap", "kube-root-ca.crt", namespace="shop").data
    lab.request("delete", "ServiceAccount", "default", namespace="shop")
    lab.run(0.1)
    assert lab.get("ServiceAccount", "default", namespace="shop")


def test_deleting_a_namespace_deletes_what_is_in_it(lab: Any, web: Any) -> None:
    lab.apply(namespace())
    lab.run(1)
    manifest = web(2)
    manifest["metadata"]["namespace"] = "shop"
    lab.request("create", "Deployment", namespace="shop", body=load(manifest))
    lab.run(2)
    lab.request("delete", "Namespace", "shop")
    lab.run(1)
    assert lab.get("Namespace", "shop").status.phase == "Terminating"
    lab.run(15)
    assert "shop" not in [ns.metadata.name for ns in lab.all("Namespace")]
    assert lab.all("Pod", namespace="shop") == []


def test_a_finalizer_in_it_holds_the_namespace(lab: Any) -> None:
    lab.apply(namespace())
    lab.run(1)
    held = load(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c", "namespace": "shop", "finalizers": ["example.com/hold"]},
        }
    )
    lab.request("create", "ConfigMap", namespace="shop", body=held)
    lab.request("delete", "Namespace", "shop")
    lab.run(20)
    conditions = {c.type: c.status for c in lab.get("Namespace", "shop").status.conditions}
    assert conditions["NamespaceFinalizersRemaining"] == "True"
    lab.patch("ConfigMap", "c", {"metadata": {"finalizers": None}}, namespace="shop")
    lab.run(20)
    assert "shop" not in [ns.metadata.name for ns in lab.all("Namespace")]
