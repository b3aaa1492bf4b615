"""What wakes a Pod that a plugin refused, and what lets it sleep on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.scheduler.cache import Cache
from k8slab.control_plane.scheduler.event_handlers import EventHandlers
from k8slab.control_plane.scheduler.framework.snapshot import Handle, Nominator, Objects
from k8slab.control_plane.scheduler.profile import make_framework
from k8slab.control_plane.scheduler.scheduling_queue import SchedulingQueue
from k8slab.sim import Simulation

Make = Callable[..., Any]
WEB = {"matchLabels": {"app": "web"}}
TAINT = [{"key": "gpu", "effect": "NoSchedule"}]
TOLERANT = [{"key": "gpu", "operator": "Exists"}]
CORDON = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}
ZONES = [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]
SPREAD = [{**ZONES[0], "labelSelector": WEB}]
PORT = [{"containerPort": 80, "hostPort": 8080}]
OTHER_PORT = [{"containerPort": 80, "hostPort": 9090}]


def term(kind: str) -> dict[str, Any]:
    """A Pod's affinity (or podAntiAffinity) to app=web, by zone."""
    terms = [{"topologyKey": "zone", "labelSelector": WEB}]
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def needs(value: str) -> dict[str, Any]:
    return {"nodeSelector": {"disk": value}}


class Case:
    """A waiting Pod, refused by one plugin, and the handlers that hear of the cluster."""

    def __init__(self, plugin: str, waiting: Any) -> None:
        framework = make_framework(Handle(Cache().snapshot, Objects()))
        self.queue = SchedulingQueue(Simulation(), {"default-scheduler": framework})
        profiles = ("default-scheduler",)
        self.handlers = EventHandlers(Cache(), self.queue, Nominator(), profiles)
        self.queue.add(waiting)
        entry = self.queue.take()
        assert entry is not None
        self.queue.add_unschedulable(entry, (plugin,))

    @property
    def woken(self) -> bool:
        return not self.queue.pending()["unschedulable"]


NODE_CASES: list[tuple[str, str, dict[str, Any], dict[str, Any] | None, dict[str, Any], bool]] = [
    ("NodeUnschedulable", "an uncordoned node", {}, {"unschedulable": True}, {}, True),
    ("NodeUnschedulable", "a cordoned node", {}, {}, {"unschedulable": True}, False),
    ("NodeUnschedulable", "a new node", {}, None, {}, True),
    ("NodeUnschedulable", "a new cordoned node", {}, None, {"unschedulable": True}, False),
    ("NodeUnschedulable", "other taints", {}, {"taints": TAINT}, {}, False),
    ("NodeName", "a new node", {}, None, {}, True),
    ("NodeName", "a label", {}, {}, {"labels": {"a": "b"}}, False),
    ("TaintToleration", "a taint that goes", {}, {"taints": TAINT}, {}, True),
    ("TaintToleration", "a taint that comes", {}, {}, {"taints": TAINT}, False),
    ("TaintToleration", "a new tainted node", {}, None, {"taints": TAINT}, False),
    ("TaintToleration", "a new node", {}, None, {}, True),
    ("TaintToleration", "a taint more", {}, {"taints": TAINT}, {"taints": TAINT * 2}, False),
    ("NodeAffinity", "the label", needs("ssd"), {}, {"labels": {"disk": "ssd"}}, True),
    ("NodeAffinity", "another label", needs("ssd"), {}, {"labels": {"disk": "hdd"}}, False),
    (
        "NodeAffinity",
        "more labels where it matched before",
        needs("ssd"),
        {"labels": {"disk": "ssd"}},
        {"labels": {"disk": "ssd", "a": "b"}},
        False,
    ),
    ("NodePorts", "a new node", {"ports": PORT}, None, {}, True),
    ("NodePorts", "a larger node", {"ports": PORT}, {}, {"cpu": "8"}, False),
    ("NodeResourcesFit", "a new node", {"cpu": "2"}, None, {"cpu": "2"}, True),
    ("NodeResourcesFit", "a new small node", {"cpu": "2"}, None, {"cpu": "1"}, False),
    ("NodeResourcesFit", "more cpu", {"cpu": "2"}, {"cpu": "1"}, {"cpu": "2"}, True),
    ("NodeResourcesFit", "more, not enough", {"cpu": "8"}, {"cpu": "1"}, {"cpu": "2"}, False),
    ("NodeResourcesFit", "less cpu", {"cpu": "2"}, {"cpu": "8"}, {"cpu": "4"}, False),
    ("NodeResourcesFit", "more memory", {"cpu": "2"}, {}, {"memory": "16Gi"}, False),
    ("NodeResourcesFit", "room for more Pods", {"cpu": "2"}, {"pods": "5"}, {"pods": "9"}, True),
    ("NodeResourcesFit", "a taint", {"cpu": "2"}, {"taints": TAINT}, {}, False),
    (
        "PodTopologySpread",
        "a new node with the key",
        {"topologySpreadConstraints": SPREAD},
        None,
        {"labels": {"zone": "a"}},
        True,
    ),
    (
        "PodTopologySpread",
        "a new node without",
        {"topologySpreadConstraints": SPREAD},
        None,
        {},
        False,
    ),
    (
        "PodTopologySpread",
        "a node that moves",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"zone": "a"}},
        {"labels": {"zone": "b"}},
        True,
    ),
    (
        "PodTopologySpread",
        "a label that is no key",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"zone": "a"}},
        {"labels": {"zone": "a", "x": "y"}},
        False,
    ),
    (
        "PodTopologySpread",
        "taints of a node with the key",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"zone": "a"}, "taints": TAINT},
        {"labels": {"zone": "a"}},
        True,
    ),
    (
        "InterPodAffinity",
        "a node that comes into a domain",
        {"affinity": term("podAffinity")},
        {},
        {"labels": {"zone": "a"}},
        True,
    ),
    (
        "InterPodAffinity",
        "another label",
        {"affinity": term("podAffinity")},
        {"labels": {"zone": "a"}},
        {"labels": {"zone": "a", "x": "y"}},
        False,
    ),
    ("InterPodAffinity", "any new node", {"affinity": term("podAntiAffinity")}, None, {}, True),
    (
        "InterPodAffinity",
        "a node that leaves its domain",
        {"affinity": term("podAntiAffinity")},
        {"labels": {"zone": "a"}},
        {},
        True,
    ),
    ("InterPodAffinity", "a new node and no terms", {}, None, {}, False),
    ("VolumeBinding", "a new node", {}, None, {}, True),
    ("VolumeBinding", "a label", {}, {}, {"labels": {"zone": "a"}}, True),
    ("VolumeBinding", "a taint", {}, {"taints": TAINT}, {}, False),
]


@pytest.mark.parametrize(
    ("plugin", "what", "asks", "before", "after", "wakes"),
    NODE_CASES,
    ids=[f"{each[0]}-{each[1]}".replace(" ", "-") for each in NODE_CASES],
)
def test_a_node_wakes_whom_it_may_help(
    plugin: str,
    what: str,
    asks: dict[str, Any],
    before: dict[str, Any] | None,
    after: dict[str, Any],
    wakes: bool,
    node: Make,
    pod: Make,
) -> None:
    waiting = Case(plugin, pod(**asks))
    if before is not None:
        old = node(**before)
        waiting.handlers._cache.set_node(old)
        waiting.handlers.node(old, node(**after))
    else:
        waiting.handlers.node(None, node(**after))
    assert waiting.woken is wakes


POD_CASES: list[tuple[str, str, dict[str, Any], dict[str, Any] | None, dict[str, Any] | None, bool]]
POD_CASES = [
    ("NodeResourcesFit", "any Pod that goes", {"cpu": "2"}, {}, None, True),
    ("NodeResourcesFit", "a Pod that comes", {"cpu": "2"}, None, {}, False),
    ("NodeResourcesFit", "a Pod that shrinks", {"cpu": "2"}, {"cpu": "2"}, {"cpu": "1"}, True),
    (
        "NodeResourcesFit",
        "less of other",
        {"cpu": "2"},
        {"memory": "2Gi"},
        {"memory": "1Gi"},
        False,
    ),
    ("NodePorts", "the port that goes", {"ports": PORT}, {"ports": PORT}, None, True),
    ("NodePorts", "another port", {"ports": PORT}, {"ports": OTHER_PORT}, None, False),
    ("NodeAffinity", "a Pod that goes", needs("ssd"), {}, None, False),
    ("TaintToleration", "a Pod that goes", {}, {}, None, False),
    (
        "PodTopologySpread",
        "one that counts goes",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"app": "web"}},
        None,
        True,
    ),
    (
        "PodTopologySpread",
        "one that does not count goes",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"app": "db"}},
        None,
        False,
    ),
    (
        "PodTopologySpread",
        "one elsewhere goes",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"app": "web"}, "namespace": "other"},
        None,
        False,
    ),
    (
        "PodTopologySpread",
        "one begins to count",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"app": "db"}},
        {"labels": {"app": "web"}},
        True,
    ),
    (
        "PodTopologySpread",
        "one gets an unrelated label",
        {"topologySpreadConstraints": SPREAD},
        {"labels": {"app": "web"}},
        {"labels": {"app": "web", "x": "y"}},
        False,
    ),
    (
        "InterPodAffinity",
        "one that is wanted comes",
        {"affinity": term("podAffinity")},
        None,
        {"labels": {"app": "web"}},
        True,
    ),
    (
        "InterPodAffinity",
        "one that is wanted goes",
        {"affinity": term("podAffinity")},
        {"labels": {"app": "web"}},
        None,
        False,
    ),
    (
        "InterPodAffinity",
        "one that is avoided goes",
        {"affinity": term("podAntiAffinity")},
        {"labels": {"app": "web"}},
        None,
        True,
    ),
    (
        "InterPodAffinity",
        "one that is avoided comes",
        {"affinity": term("podAntiAffinity")},
        None,
        {"labels": {"app": "web"}},
        False,
    ),
    (
        "InterPodAffinity",
        "one that is avoided is relabelled",
        {"affinity": term("podAntiAffinity")},
        {"labels": {"app": "web"}},
        {"labels": {"app": "db"}},
        True,
    ),
    (
        "InterPodAffinity",
        "one that avoids it goes",
        {"labels": {"app": "web"}},
        {"affinity": term("podAntiAffinity")},
        None,
        True,
    ),
    ("DefaultPreemption", "any Pod that goes", {}, {}, None, False),
    ("VolumeBinding", "any Pod that goes", {}, {}, None, False),
]


@pytest.mark.parametrize(
    ("plugin", "what", "asks", "before", "after", "wakes"),
    POD_CASES,
    ids=[f"{each[0]}-{each[1]}".replace(" ", "-") for each in POD_CASES],
)
def test_a_pod_with_a_node_wakes_whom_it_may_help(
    plugin: str,
    what: str,
    asks: dict[str, Any],
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    wakes: bool,
    pod: Make,
) -> None:
    waiting = Case(plugin, pod(**asks))
    old = pod("other", nodeName="node-1", **before) if before is not None else None
    new = pod("other", nodeName="node-1", **after) if after is not None else None
    if old is not None:
        waiting.handlers._cache.set_pod(old)
    waiting.handlers.pod(old, new)
    assert waiting.woken is wakes


OWN_CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], bool]] = [
    ("SchedulingGates", "fewer gates", {"gates": "ab"}, {"gates": "a"}, False),
    ("SchedulingGates", "no gates", {"gates": "a"}, {}, True),
    ("TaintToleration", "a toleration", {}, {"tolerations": TOLERANT}, True),
    ("NodeUnschedulable", "a toleration of cordons", {}, {"tolerations": [CORDON]}, True),
    ("NodeUnschedulable", "another toleration", {}, {"tolerations": TOLERANT}, False),
    ("NodeResourcesFit", "a smaller request", {"cpu": "2"}, {"cpu": "1"}, True),
    ("NodeResourcesFit", "a larger request", {"cpu": "1"}, {"cpu": "2"}, False),
    ("InterPodAffinity", "a label", {}, {"labels": {"app": "web"}}, True),
    ("NodeAffinity", "a label", {}, {"labels": {"app": "web"}}, False),
    (
        "PodTopologySpread",
        "a label that matches",
        {"topologySpreadConstraints": SPREAD},
        {"topologySpreadConstraints": SPREAD, "labels": {"app": "web"}},
        True,
    ),
    (
        "PodTopologySpread",
        "a toleration where taints do not matter",
        {"topologySpreadConstraints": SPREAD},
        {"topologySpreadConstraints": SPREAD, "tolerations": TOLERANT},
        False,
    ),
    (
        "PodTopologySpread",
        "a toleration where they do",
        {"topologySpreadConstraints": [{**SPREAD[0], "nodeTaintsPolicy": "Honor"}]},
        {
            "topologySpreadConstraints": [{**SPREAD[0], "nodeTaintsPolicy": "Honor"}],
            "tolerations": TOLERANT,
        },
        True,
    ),
]


@pytest.mark.parametrize(
    ("plugin", "what", "before", "after", "wakes"),
    OWN_CASES,
    ids=[f"{each[0]}-{each[1]}".replace(" ", "-") for each in OWN_CASES],
)
def test_a_change_of_its_own_wakes_a_pod_if_it_may_help(
    plugin: str, what: str, before: dict[str, Any], after: dict[str, Any], wakes: bool, pod: Make
) -> None:
    def made(asks: dict[str, Any]) -> Any:
        spec = dict(asks)
        gates = [{"name": name} for name in spec.pop("gates", "")]
        return pod(schedulingGates=gates, **spec)

    queue = SchedulingQueue(
        Simulation(), {"default-scheduler": make_framework(Handle(Cache().snapshot))}
    )
    queue.add(made(before))
    entry = queue.take()
    if entry is not None:
        queue.add_unschedulable(entry, (plugin,))
    queue.update(made(before), made(after))
    assert (not queue.pending()["unschedulable"]) is wakes


def claim(name: str, namespace: str = "default", **spec: Any) -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        }
    )


def storage_class(**fields: Any) -> Any:
    meta = {"name": "fast"}
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "x"}
    return load({**kind, "metadata": meta, **fields})


VOLUMES = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
TOPOLOGY = [{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}]


@pytest.mark.parametrize(
    ("old", "new", "wakes"),
    [
        (None, claim("data"), True),
        (claim("data"), claim("data", volumeName="pv"), True),
        (None, claim("other"), False),
        (None, claim("data", "elsewhere"), False),
        (claim("data"), None, False),
        (None, storage_class(), True),
        (storage_class(), storage_class(allowedTopologies=TOPOLOGY), True),
        (storage_class(), storage_class(allowVolumeExpansion=True), False),
    ],
)
def test_storage_wakes_those_whose_storage_it_is(
    old: Any, new: Any, wakes: bool, pod: Make
) -> None:
    waiting = Case("VolumeBinding", pod(volumes=VOLUMES))
    waiting.handlers.storage(old, new)
    assert waiting.woken is wakes


def test_who_gives_up_a_nomination_makes_room_for_those_who_matter_no_more(pod: Make) -> None:
    waiting = Case("NodeResourcesFit", pod(cpu="1", priority=5))
    for priority, wakes in ((4, False), (5, True)):
        other = pod("other", priority=priority, status={"nominatedNodeName": "node-1"})
        waiting.handlers.pod(None, other)
        waiting.handlers.pod(other, None)
        assert waiting.woken is wakes


def test_what_a_resize_frees_wakes_those_who_ask_for_it(pod: Make) -> None:
    def resized(now: str) -> Any:
        amounts = {"requests": {"cpu": now}}
        status = {"name": "c", "resources": amounts, "allocatedResources": {"cpu": now}}
        return pod("other", cpu="1", nodeName="n", status={"containerStatuses": [status]})

    waiting = Case("NodeResourcesFit", pod(cpu="1"))
    waiting.handlers._cache.set_pod(resized("2"))
    waiting.handlers.pod(resized("2"), resized("1"))
    assert waiting.woken
