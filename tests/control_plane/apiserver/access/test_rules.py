"""Rules as sets of rights: broken down, compared, put together again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.authentication import UserInfo
from k8slab.api.policy_rules import break_down, compact
from k8slab.api.rbac import PolicyRule
from k8slab.control_plane.apiserver.access.attributes import Attributes
from k8slab.control_plane.apiserver.access.rules import allows, missing

VERBS, GROUPS = ("get", "list", "*"), ("", "apps", "*")
RESOURCES = ("pods", "pods/log", "*/log", "*")


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)


RULES = st.builds(
    PolicyRule,
    verbs=some(VERBS),
    apiGroups=some(GROUPS),
    resources=some(RESOURCES),
    resourceNames=st.lists(st.sampled_from(("a", "b")), max_size=2, unique=True).map(tuple),
)
ASKED = st.builds(
    Attributes,
    user=st.just(UserInfo()),
    verb=st.sampled_from(("get", "list")),
    group=st.sampled_from(("", "apps")),
    resource=st.just("pods"),
    subresource=st.sampled_from(("", "log")),
    name=st.sampled_from(("", "a", "b")),
)


@given(RULES)
def test_whoever_has_a_rule_lacks_nothing_of_it(rule: PolicyRule) -> None:
    assert missing([rule], [rule]) == []


@given(st.lists(RULES, max_size=3), RULES, ASKED)
def test_what_is_not_missing_is_allowed(
    owned: list[PolicyRule], wanted: PolicyRule, asked: Attributes
) -> None:
    if not missing(owned, [wanted]) and allows(wanted, asked):
        assert any(allows(rule, asked) for rule in owned)


@given(st.lists(RULES, max_size=3), ASKED)
def test_breaking_down_and_putting_together_changes_no_right(
    rules: list[PolicyRule], asked: Attributes
) -> None:
    small = [part for rule in rules for part in break_down(rule)]
    for form in (small, compact(small)):
        assert any(allows(r, asked) for r in form) == any(allows(r, asked) for r in rules)
