from __future__ import annotations

from typing import Any

import pytest

from k8slab.control_plane.scheduler import explain


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def fits(pod: Any, node: Any, *pods: Any, **options: Any) -> bool:
    return bool(explain(pod, [node], pods, **options).best)


@pytest.mark.parametrize(
    ("labels", "matches"),
    [
        (expression("disk", "In", "ssd", "nvme"), True),
        (expression("disk", "In", "hdd"), False),
        (expression("disk", "NotIn", "hdd"), True),
        (expression("missing", "NotIn", "x"), True),
        (expression("disk", "Exists"), True),
        (expression("missing", "Exists"), False),
        (expression("missing", "DoesNotExist"), True),
        (expression("cores", "Gt", "4"), True),
        (expression("cores", "Gt", "8"), False),
        (expression("cores", "Lt", "9"), True),
        (expression("disk", "Gt", "4"), False),
        (expression("missing", "Lt", "4"), False),
    ],
)
def test_each_operator_of_node_affinity(
    labels: dict[str, Any], matches: bool, node: Any, pod: Any
) -> None:
    target = node(labels={"disk": "ssd", "cores": "8"})
    assert fits(pod(affinity=required({"matchExpressions": [labels]})), target) is matches


def test_terms_are_ored_and_expressions_anded(node: Any, pod: Any) -> None:
    target = node(labels={"a": "1"})
    yes, no = expression("a", "In", "1"), expression("b", "Exists")
    term = {"matchExpressions": [yes]}
    assert fits(pod(affinity=required({"matchExpressions": [no]}, term)), target)
    assert not fits(pod(affinity=required({"matchExpressions": [yes, no]})), target)


def test_an_empty_term_matches_nothing(node: Any, pod: Any) -> None:
    assert not fits(pod(affinity=required({})), node())


def test_node_selector_and_affinity_must_both_hold(node: Any, pod: Any) -> None:
    affinity = required({"matchExpressions": [expression("a", "Exists")]})
    asked = pod(nodeSelector={"disk": "ssd"}, affinity=affinity)
    assert not fits(asked, node(labels={"a": "1"}))
    assert fits(asked, node(labels={"a": "1", "disk": "ssd"}))


def test_preferred_terms_only_score(node: Any, pod: Any) -> None:
    term = {"matchExpressions": [expression("disk", "In", "ssd")]}
    preferred = [{"weight": 10, "preference": term}]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    answer = explain(pod(affinity=affinity), [node("a"), node("b", labels={"disk": "ssd"})])
    assert answer.best == ("b",)
    assert [answer.nodes[n].scores["NodeAffinity"] for n in "ab"] == [0, 100]
    assert answer.weights["NodeAffinity"] == 2


def test_contradictory_terms_are_refused_before_any_node(node: Any, pod: Any) -> None:
    fields = [expression("metadata.name", "In", "a"), expression("metadata.name", "In", "b")]
    answer = explain(pod(affinity=required({"matchFields": fields})), [node("a"), node("b")])
    assert answer.event.startswith("0/2 nodes are available: pod affinity terms conflict. ")


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({}, False),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_what_a_toleration_covers(
    toleration: dict[str, str], tolerated: bool, node: Any, pod: Any
) -> None:
    target = node(taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}])
    asked = pod(tolerations=[toleration] if toleration else [])
    assert fits(asked, target) is tolerated


@pytest.mark.parametrize(
    ("effect", "kept_out"),
    [("NoSchedule", True), ("NoExecute", True), ("PreferNoSchedule", False)],
)
def test_a_soft_taint_never_filters(effect: str, kept_out: bool, node: Any, pod: Any) -> None:
    assert fits(pod(), node(taints=[{"key": "k", "effect": effect}])) is not kept_out


def test_a_cordoned_node_takes_those_who_tolerate_it(node: Any, pod: Any) -> None:
    key = "node.kubernetes.io/unschedulable"
    tolerant = pod(tolerations=[{"key": key, "operator": "Exists", "effect": "NoSchedule"}])
    assert fits(tolerant, node(unschedulable=True))
    assert not fits(pod(), node(unschedulable=True))


def test_a_pod_that_names_its_node_goes_nowhere_else(node: Any, pod: Any) -> None:
    verdict = explain(pod(nodeName="other"), [node()]).nodes["node-1"]
    assert verdict.reasons == ("node(s) didn't match the requested node name",)


@pytest.mark.parametrize(
    ("mine", "taken", "clash"),
    [
        ({"hostPort": 80}, {"hostPort": 80}, True),
        ({"hostPort": 80}, {"hostPort": 81}, False),
        ({"hostPort": 80}, {"hostPort": 80, "protocol": "UDP"}, False),
        ({"hostPort": 80}, {"hostPort": 80, "hostIP": "10.0.0.1"}, True),
        ({"hostPort": 80, "hostIP": "10.0.0.2"}, {"hostPort": 80, "hostIP": "10.0.0.1"}, False),
        ({"containerPort": 80}, {"containerPort": 80}, False),
    ],
)
def test_two_pods_cannot_share_a_host_port(
    mine: dict[str, Any], taken: dict[str, Any], clash: bool, node: Any, pod: Any
) -> None:
    answer = explain(pod(ports=[mine]), [node()], [pod("x", ports=[taken], nodeName="node-1")])
    reason = ("node(s) didn't have free ports for the requested pod ports",)
    assert answer.nodes["node-1"].reasons == (reason if clash else ())


def test_images_that_are_there_attract(node: Any, pod: Any) -> None:
    image = {"names": ["nginx:latest"], "sizeBytes": 1000 * 1024 * 1024}
    answer = explain(pod(), [node("a"), node("b", images=[image])])
    assert answer.best == ("b",)
    # On half of the nodes, so half of its 1000 MiB count, on a scale from 23 to 1000.
    assert answer.nodes["b"].scores["ImageLocality"] == 48


def test_the_scheduler_can_be_told_to_keep_to_some_nodes(node: Any, pod: Any) -> None:
    terms = required({"matchExpressions": [expression("a", "Exists")]})["nodeAffinity"]
    args = {"NodeAffinity": {"addedAffinity": terms}}
    verdict = explain(pod(), [node()], args=args).nodes["node-1"]
    assert verdict.reasons == ("node(s) didn't match scheduler-enforced node affinity",)
