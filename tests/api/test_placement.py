from __future__ import annotations

import pytest

from k8slab.api import load
from k8slab.api.core import NodeSelectorRequirement, Taint, Toleration
from k8slab.api.node_affinity import matches_node, requirement_matches
from k8slab.api.taints import covers, untolerated_taint

NODE = load({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": {"a": "1"}}})


@pytest.mark.parametrize(
    ("operator", "values", "on_a", "on_b"),
    [
        ("In", ("1",), True, False),
        ("NotIn", ("1",), False, True),
        ("Exists", (), True, False),
        ("DoesNotExist", (), False, True),
        ("Gt", ("0",), True, False),
        ("Lt", ("1",), False, False),
        ("Near", ("1",), False, False),
    ],
)
def test_a_requirement_holds_or_not(
    operator: str, values: tuple[str, ...], on_a: bool, on_b: bool
) -> None:
    labels = {"a": "1"}
    for key, expected in (("a", on_a), ("b", on_b)):
        wanted = NodeSelectorRequirement(key=key, operator=operator, values=values)
        assert requirement_matches(wanted, labels) is expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([{}], False),
        ([{}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}], True),
        ([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}], True),
        ([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["m"]}]}], False),
    ],
)
def test_terms_are_alternatives_and_an_empty_one_is_none(
    terms: list[object], expected: bool
) -> None:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    pod = load(
        {"apiVersion": "v1", "kind": "Pod", "spec": {"affinity": {"nodeAffinity": required}}}
    )
    assert matches_node(pod.spec, NODE) is expected  # type: ignore[attr-defined, arg-type]


def test_a_toleration_without_key_or_effect_covers_all_of_them() -> None:
    taint = Taint(key="a", value="1", effect="NoExecute")
    assert covers(Toleration(operator="Exists"), taint)
    assert covers(Toleration(key="a", value="1"), taint)
    assert not covers(Toleration(key="a", value="2"), taint)
    assert not covers(Toleration(key="a", operator="Exists", effect="NoSchedule"), taint)
    assert untolerated_taint([taint], [], ["NoSchedule"]) is None
    assert untolerated_taint([taint], [], ["NoExecute"]) is taint
