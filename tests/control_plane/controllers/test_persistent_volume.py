"""Claims and volumes: who gets which, who makes one, and what becomes of it afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.volume_matching import best_volume, mismatch

STANDARD = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard"},
    "provisioner": "rancher.io/local-path",
    "volumeBindingMode": "Immediate",
}


def claim(name: str = "data", size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            **spec,
        },
    }


def volume(name: str, size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": size},
            "hostPath": {"path": f"/mnt/{name}"},
            **spec,
        },
    }


def available(name: str, size: str = "1Gi", **spec: Any) -> Any:
    return load({**volume(name, size, **spec), "status": {"phase": "Available"}})


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"size": "2Gi"}, "requested PV is too small"),
        ({"storageClassName": "fast"}, "storageClassName does not match"),
        ({"volumeMode": "Block"}, "incompatible volumeMode"),
        ({"accessModes": ["ReadWriteMany"]}, "incompatible accessMode"),
        ({}, ""),
    ],
)
def test_a_volume_serves_a_claim_or_says_why_not(spec: dict[str, Any], why: str) -> None:
    assert mismatch(available("a"), load(claim(**spec))) == why  # type: ignore[arg-type]


def test_a_claim_gets_the_smallest_volume_that_fits() -> None:
    volumes = [available("big", "9Gi"), available("fits", "2Gi"), available("small", "1Mi")]
    found = best_volume(load(claim()), volumes)  # type: ignore[arg-type]
    assert found is not None
    assert found.metadata.name == "fits"


def test_a_volume_that_names_the_claim_comes_first() -> None:
    meant = available("big", "9Gi", claimRef={"namespace": "default", "name": "data"})
    wish: Any = load({**claim(), "metadata": {"name": "data", "namespace": "default"}})
    assert best_volume(wish, [available("fits"), meant]) is meant
    other: Any = load({**claim(), "metadata": {"name": "other", "namespace": "default"}})
    assert best_volume(other, [meant]) is None


def test_a_claim_is_bound_to_a_free_volume_and_back(lab: Any) -> None:
    lab.apply(volume("mine"))
    lab.run(1)
    assert lab.get("PersistentVolume", "mine").status.phase == "Available"
    lab.apply(claim())
    lab.run(1)
    bound, free = lab.get("PersistentVolumeClaim", "data"), lab.get("PersistentVolume", "mine")
    assert (bound.status.phase, bound.spec.volumeName) == ("Bound", "mine")
    assert bound.status.capacity == {"storage": "1Gi"}
    assert free.status.phase == "Bound"
    assert free.spec.claimRef.uid == bound.metadata.uid


def test_a_claim_without_volume_or_class_waits_and_is_told_why(lab: Any) -> None:
    lab.apply(claim())
    lab.run(2)
    assert lab.get("PersistentVolumeClaim", "data").status.phase == "Pending"
    assert lab.events("data") == [
        "FailedBinding: no persistent volumes available for this claim and no storage class is set"
    ]


def test_a_class_that_is_not_there_makes_nothing(lab: Any) -> None:
    lab.apply(claim(storageClassName="fast"))
    lab.run(1)
    assert lab.events("data") == [
        'ProvisioningFailed: storageclass.storage.k8s.io "fast" not found'
    ]


def test_the_provisioner_makes_a_volume_and_deletes_it_with_its_claim(lab: Any) -> None:
    lab.apply(STANDARD)
    lab.apply(claim(storageClassName="standard"))
    lab.run(2)
    (made,) = lab.all("PersistentVolume")
    assert made.metadata.annotations["pv.kubernetes.io/provisioned-by"] == "rancher.io/local-path"
    assert lab.get("PersistentVolumeClaim", "data").status.phase == "Bound"
    lab.request("delete", "PersistentVolumeClaim", "data")
    lab.run(2)
    assert lab.all("PersistentVolume") == []


def test_a_class_may_wait_for_the_first_consumer(lab: Any) -> None:
    lab.apply({**STANDARD, "volumeBindingMode": "WaitForFirstConsumer"})
    lab.apply(claim(storageClassName="standard"))
    lab.run(2)
    assert lab.all("PersistentVolume") == []
    assert lab.events("data") == [
        "WaitForFirstConsumer: waiting for first consumer to be created before binding"
    ]
    chosen = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "worker-2"}}}
    lab.patch("PersistentVolumeClaim", "data", chosen)
    lab.run(2)
    (made,) = lab.all("PersistentVolume")
    (term,) = made.spec.nodeAffinity.required.nodeSelectorTerms
    assert term.matchExpressions[0].values == ("worker-2",)


def test_a_retained_volume_keeps_its_data_for_nobody_else(lab: Any) -> None:
    lab.apply(volume("mine", persistentVolumeReclaimPolicy="Retain"))
    lab.apply(claim())
    lab.run(1)
    lab.request("delete", "PersistentVolumeClaim", "data")
    lab.run(1)
    assert lab.get("PersistentVolume", "mine").status.phase == "Released"
    lab.apply(claim("next"))
    lab.run(1)
    assert lab.get("PersistentVolumeClaim", "next").status.phase == "Pending"


def test_a_claim_stays_while_a_pod_uses_it(lab: Any) -> None:
    lab.apply(volume("mine"))
    lab.apply(claim())
    source = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    spec = {"volumes": [source], "containers": [{"name": "c", "image": "i"}]}
    lab.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user"}, "spec": spec})
    lab.run(2)
    lab.request("delete", "PersistentVolumeClaim", "data")
    lab.request("delete", "PersistentVolume", "mine")
    lab.run(2)
    assert lab.get("PersistentVolumeClaim", "data").metadata.deletionTimestamp
    assert lab.get("PersistentVolume", "mine").metadata.deletionTimestamp
    lab.request("delete", "Pod", "user", body={"gracePeriodSeconds": 0})
    lab.run(2)
    assert lab.all("PersistentVolumeClaim") == lab.all("PersistentVolume") == []


def test_a_bound_claim_whose_volume_goes_is_lost(lab: Any) -> None:
    lab.apply(volume("mine"))
    lab.apply(claim())
    lab.run(1)
    lab.request("delete", "PersistentVolume", "mine")
    lab.patch("PersistentVolume", "mine", {"metadata": {"finalizers": None}})
    lab.run(1)
    assert lab.get("PersistentVolumeClaim", "data").status.phase == "Lost"
    assert "ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!" in (
        lab.events("data")
    )
