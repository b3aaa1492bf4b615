"""Claims, volumes, zones and limits: where a Pod may go with its storage."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.core import PersistentVolumeClaim
from k8slab.control_plane.scheduler import explain

ZONE = "topology.kubernetes.io/zone"
RWO, RWOP = ["ReadWriteOnce"], ["ReadWriteOncePod"]


def claim(
    name: str = "data",
    *,
    volume: str = "",
    phase: str = "",
    modes: list[str] = RWO,
    size: str = "1Gi",
    storage_class: str = "late",
    annotations: dict[str, str] | None = None,
) -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": f"u-{name}",
                "annotations": annotations or {},
            },
            "spec": {
                "accessModes": modes,
                "volumeName": volume,
                "storageClassName": storage_class,
                "resources": {"requests": {"storage": size}},
            },
            "status": {"phase": phase or ("Bound" if volume else "Pending")},
        }
    )


def volume(
    name: str,
    *,
    node: str = "",
    labels: dict[str, str] | None = None,
    size: str = "1Gi",
    driver: str = "",
    storage_class: str = "late",
) -> Any:
    spec: dict[str, Any] = {
        "accessModes": RWO,
        "capacity": {"storage": size},
        "storageClassName": storage_class,
        "hostPath": {"path": f"/data/{name}"},
    }
    if node:
        here = [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": here}]}}
    if driver:
        del spec["hostPath"]
        spec["csi"] = {"driver": driver, "volumeHandle": f"h-{name}"}
    return load(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "labels": labels or {}},
            "spec": spec,
            "status": {"phase": "Available"},
        }
    )


def storage_class(name: str = "late", mode: str = "WaitForFirstConsumer", **fields: Any) -> Any:
    return load(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": mode,
            **fields,
        }
    )


def csi_node(name: str, **counts: int | None) -> Any:
    drivers = [
        {"name": driver.replace("_", "."), "nodeID": name, "allocatable": {"count": count}}
        for driver, count in counts.items()
    ]
    return load(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSINode",
            "metadata": {"name": name},
            "spec": {"drivers": drivers},
        }
    )


def using(*claims: str) -> list[dict[str, Any]]:
    return [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims]


# -- VolumeBinding


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ([], 'persistentvolumeclaim "data" not found'),
        ([claim(storage_class="soon")], "pod has unbound immediate PersistentVolumeClaims"),
        ([claim(storage_class="none")], "pod has unbound immediate PersistentVolumeClaims"),
        # One that names its volume is not for its consumer to wait for.
        (
            [claim(volume="v", phase="Pending")],
            "pod has unbound immediate PersistentVolumeClaims",
        ),
        (
            [claim(volume="v", phase="Lost")],
            'persistentvolumeclaim "data" bound to non-existent persistentvolume "v"',
        ),
    ],
)
def test_what_no_node_can_help_is_said_once(
    claims: list[Any], why: str, node: Any, pod: Any
) -> None:
    classes = [storage_class(), storage_class("soon", "Immediate")]
    told = explain(pod(volumes=using("data")), [node()], objects=[*claims, *classes])
    assert told.event.startswith(f"0/1 nodes are available: {why}. preemption: 0/1 nodes are")


def test_a_bound_claim_ties_the_pod_to_its_volumes_nodes(node: Any, pod: Any) -> None:
    there = [claim(volume="v"), volume("v", node="b"), storage_class()]
    told = explain(pod(volumes=using("data")), [node("a"), node("b")], objects=there)
    assert told.feasible == ("b",)
    assert told.nodes["a"].reasons == ("node(s) didn't match PersistentVolume's node affinity",)


def test_two_claims_do_not_count_on_one_volume(node: Any, pod: Any) -> None:
    claims = [claim("one"), claim("two"), storage_class()]
    volumes = [volume("a-1", node="a"), volume("b-1", node="b"), volume("b-2", node="b")]
    asked = pod(volumes=using("one", "two"))
    told = explain(asked, [node("a"), node("b")], objects=[*claims, *volumes])
    assert told.feasible == ("b",)
    text = "node(s) didn't find available persistent volumes to bind"
    assert told.nodes["a"].reasons == (text,)


def test_the_smaller_claim_chooses_first(node: Any, pod: Any) -> None:
    """Else the small one would take the large volume, and the large one have none."""
    claims = [claim("big", size="9Gi"), claim("a-small", size="1Gi"), storage_class()]
    volumes = [volume("v-10", size="10Gi"), volume("v-5", size="5Gi")]
    asked = pod(volumes=using("big", "a-small"))
    assert explain(asked, [node()], objects=[*claims, *volumes]).feasible == ("node-1",)


def test_a_claim_that_is_being_served_elsewhere_is_not_served_here(node: Any, pod: Any) -> None:
    chosen = {"volume.kubernetes.io/selected-node": "a"}
    made = storage_class(provisioner="example.com/disks")
    there = [claim(annotations=chosen), made, volume("free", node="b")]
    told = explain(pod(volumes=using("data")), [node("a"), node("b")], objects=there)
    assert told.feasible == ("a",)


@pytest.mark.parametrize(("zone", "fits"), [("z1", True), ("z2", False)])
def test_a_class_makes_volumes_where_its_topologies_say(
    zone: str, fits: bool, node: Any, pod: Any
) -> None:
    here = [{"matchLabelExpressions": [{"key": ZONE, "values": ["z1"]}]}]
    made = storage_class(provisioner="example.com/disks", allowedTopologies=here)
    asked, nodes = pod(volumes=using("data")), [node(labels={ZONE: zone})]
    assert bool(explain(asked, nodes, objects=[claim(), made]).feasible) is fits


def test_what_one_pod_has_booked_the_next_does_not_count_on(lab: Any, node: Any, pod: Any) -> None:
    for name in ("a", "b"):
        lab.create(node(name))
        lab.create(volume(f"v-{name}", node=name))
        lab.status("PersistentVolume", f"v-{name}", {"phase": "Available"})
        lab.create(claim(f"c-{name}"))
    lab.create(storage_class())
    lab.run(1)
    lab.create(pod("first", volumes=using("c-a")))
    lab.create(pod("second", volumes=using("c-b")))
    lab.run(0.1)
    volumes = lab.call("list", "PersistentVolume").items
    taken = [each.spec.claimRef and each.spec.claimRef.name for each in volumes]
    assert sorted(taken) == ["c-a", "c-b"]


def test_while_claims_are_served_the_node_is_told(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.create(volume("v"))
    lab.status("PersistentVolume", "v", {"phase": "Available"})
    lab.create(claim())
    lab.create(storage_class())
    lab.run(1)
    lab.create(pod(volumes=using("data")))
    lab.run(1)
    assert (lab.pod("web").spec.nodeName, lab.pod("web").status.nominatedNodeName) == ("", "node-1")
    lab.merge("PersistentVolumeClaim", "data", {"spec": {"volumeName": "v"}})
    lab.status("PersistentVolumeClaim", "data", {"phase": "Bound"})
    lab.run(2)
    assert (lab.pod("web").spec.nodeName, lab.pod("web").status.nominatedNodeName) == ("node-1", "")


def test_a_provisioner_that_gives_up_sends_the_pod_back(lab: Any, node: Any, pod: Any) -> None:
    key = "volume.kubernetes.io/selected-node"
    lab.create(node("node-1"))
    lab.create(claim())
    lab.create(storage_class(provisioner="example.com/disks"))
    lab.run(1)
    lab.create(pod(volumes=using("data")))
    lab.run(1.5)
    found: PersistentVolumeClaim = lab.call("get", "PersistentVolumeClaim", "data")
    assert found.metadata.annotations[key] == "node-1"
    lab.merge("PersistentVolumeClaim", "data", {"metadata": {"annotations": {key: None}}})
    lab.run(1)
    text = 'binding volumes: provisioning failed for PVC "data"'
    told = ("FailedScheduling", f'running PreBind plugin "VolumeBinding": {text}')
    assert told in lab.events("web")


# -- VolumeRestrictions


def test_a_claim_for_one_pod_is_one_pods_in_the_whole_cluster(node: Any, pod: Any) -> None:
    there = [claim(modes=RWOP, volume="v"), volume("v"), storage_class()]
    other = pod("other", volumes=using("data"), nodeName="a")
    told = explain(pod(volumes=using("data")), [node("a"), node("b")], [other], objects=there)
    reason = (
        "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
        "access mode"
    )
    assert told.event.startswith(f"0/2 nodes are available: 2 {reason}. ")
    assert {each.plugin for each in told.nodes.values()} == {"VolumeRestrictions"}


def test_preemption_takes_a_claim_for_one_pod(node: Any, pod: Any) -> None:
    there = [claim(modes=RWOP, volume="v"), volume("v"), storage_class()]
    other = pod("other", volumes=using("data"), nodeName="a")
    asked = pod(volumes=using("data"), priority=10)
    told = explain(asked, [node("a"), node("b")], [other], objects=there)
    assert (told.nominated, told.victims) == ("a", ("default/other",))


@pytest.mark.parametrize(
    ("mine", "theirs", "fits"),
    [
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "d"}}, False),
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "e"}}, True),
        (
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            True,
        ),
        (
            {"awsElasticBlockStore": {"volumeID": "d", "readOnly": True}},
            {"awsElasticBlockStore": {"volumeID": "d", "readOnly": True}},
            False,
        ),
        (
            {"rbd": {"monitors": ["m1", "m2"], "pool": "p", "image": "i"}},
            {"rbd": {"monitors": ["m2"], "pool": "p", "image": "i"}},
            False,
        ),
        (
            {"rbd": {"monitors": ["m1"], "pool": "p", "image": "i"}},
            {"rbd": {"monitors": ["m2"], "pool": "p", "image": "i"}},
            True,
        ),
        ({"iscsi": {"iqn": "q"}}, {"iscsi": {"iqn": "q", "readOnly": True}}, False),
    ],
)
def test_disks_that_cannot_be_shared(
    mine: dict[str, Any], theirs: dict[str, Any], fits: bool, node: Any, pod: Any
) -> None:
    other = pod("other", volumes=[{"name": "v", **theirs}], nodeName="node-1")
    told = explain(pod(volumes=[{"name": "v", **mine}]), [node()], [other])
    assert bool(told.feasible) is fits
    if not fits:
        assert told.nodes["node-1"].reasons == ("node(s) had no available disk",)


# -- VolumeZone


@pytest.mark.parametrize(
    ("of_volume", "of_node", "fits"),
    [
        ({ZONE: "z1"}, {ZONE: "z1"}, True),
        ({ZONE: "z1"}, {ZONE: "z2"}, False),
        ({ZONE: "z1__z2"}, {ZONE: "z2"}, True),
        ({ZONE: "z1"}, {}, True),
        ({}, {ZONE: "z2"}, True),
        ({"failure-domain.beta.kubernetes.io/zone": "z1"}, {ZONE: "z1"}, True),
        ({"failure-domain.beta.kubernetes.io/zone": "z1"}, {ZONE: "z2"}, False),
        ({"topology.kubernetes.io/region": "r1"}, {ZONE: "z1"}, False),
    ],
)
def test_a_volumes_zone_is_its_pods_zone(
    of_volume: dict[str, str], of_node: dict[str, str], fits: bool, node: Any, pod: Any
) -> None:
    there = [claim(volume="v"), volume("v", labels=of_volume), storage_class()]
    told = explain(pod(volumes=using("data")), [node(labels=of_node)], objects=there)
    assert bool(told.feasible) is fits
    if not fits:
        assert told.nodes["node-1"].reasons == ("node(s) had no available volume zone",)


def test_a_volume_that_is_gone_is_named(node: Any, pod: Any) -> None:
    told = explain(pod(volumes=using("data")), [node()], objects=[claim(volume="v")])
    assert told.nodes["node-1"].reasons == ('persistentvolume "v" not found',)
    assert told.nodes["node-1"].plugin == "VolumeZone"


# -- NodeVolumeLimits


def cluster(count: int, *drivers: str) -> list[Any]:
    """Claims c0, c1, ... with volumes of these drivers, and a node that attaches so many of d1."""
    claims = [claim(f"c{n}", volume=f"v{n}") for n in range(len(drivers))]
    volumes = [volume(f"v{n}", driver=driver) for n, driver in enumerate(drivers)]
    return [*claims, *volumes, storage_class(), csi_node("node-1", d1_io=count)]


@pytest.mark.parametrize(
    ("count", "there", "asked", "fits"),
    [
        (2, ["c0"], ["c1"], True),
        (1, ["c0"], ["c1"], False),
        (1, ["c0"], ["c0"], True),  # one volume of two Pods is one volume
        (1, [], ["c0", "c1"], False),
        (1, ["c0"], ["c2"], True),  # another driver has no limit
    ],
)
def test_a_node_attaches_so_many_volumes_and_no_more(
    count: int, there: list[str], asked: list[str], fits: bool, node: Any, pod: Any
) -> None:
    objects = cluster(count, "d1.io", "d1.io", "d2.io")
    others = [pod("other", volumes=using(*there), nodeName="node-1")] if there else []
    told = explain(pod(volumes=using(*asked)), [node()], others, objects=objects)
    assert bool(told.feasible) is fits
    if not fits:
        assert told.nodes["node-1"].reasons == ("node(s) exceed max volume count",)


def test_a_volume_that_is_still_to_be_made_counts(node: Any, pod: Any) -> None:
    made = storage_class("new", provisioner="d1.io")
    objects = [*cluster(1, "d1.io"), claim("later", storage_class="new"), made]
    other = pod("other", volumes=using("c0"), nodeName="node-1")
    told = explain(pod(volumes=using("later")), [node()], [other], objects=objects)
    assert told.nodes["node-1"].plugin == "NodeVolumeLimits"


def test_a_csi_node_is_an_object_of_the_api(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    for obj in cluster(1, "d1.io", "d1.io"):
        lab.create(obj)
    for number in range(2):
        lab.status("PersistentVolumeClaim", f"c{number}", {"phase": "Bound"})
    lab.run(1)
    lab.create(pod("a", volumes=using("c0")))
    lab.create(pod("b", volumes=using("c1")))
    lab.run(2)
    assert [lab.pod(name).spec.nodeName for name in "ab"] == ["node-1", ""]
    more = csi_node("node-1", d1_io=2)
    lab.merge("CSINode", "node-1", {"spec": {"drivers": [drivers_of(more)]}})
    lab.run(2)
    assert lab.pod("b").spec.nodeName == "node-1"


def drivers_of(obj: Any) -> dict[str, Any]:
    (driver,) = obj.spec.drivers
    count = {"count": driver.allocatable.count}
    return {"name": driver.name, "nodeID": driver.nodeID, "allocatable": count}
