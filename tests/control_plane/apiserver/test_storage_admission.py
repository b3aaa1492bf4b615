"""What admission makes of claims and volumes."""

from __future__ import annotations

from typing import Any

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def storage_class(lab: Any, name: str, default: str = "true") -> None:
    key = "storageclass.kubernetes.io/is-default-class"
    meta = {"name": name, "annotations": {key: default}}
    lab.create(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": meta,
            "provisioner": "x",
        }
    )


def test_a_claim_without_a_class_gets_the_newest_default(lab: Any) -> None:
    storage_class(lab, "old")
    lab.sim.run(5)
    storage_class(lab, "new")
    storage_class(lab, "other", default="false")
    assert lab.create(CLAIM).spec.storageClassName == "new"


def test_the_empty_class_is_a_choice(lab: Any) -> None:
    storage_class(lab, "standard")
    none = {**CLAIM, "spec": {**CLAIM["spec"], "storageClassName": ""}}  # type: ignore[dict-item]
    assert lab.create(none).spec.storageClassName == ""


def test_claims_and_volumes_are_protected(lab: Any) -> None:
    assert lab.create(CLAIM).metadata.finalizers == ("kubernetes.io/pvc-protection",)
    assert lab.create(CLAIM | {"metadata": {"name": "b"}}).spec.storageClassName is None
