from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.addons.ingress.filters import changed_path, redirected, rewritten
from k8slab.addons.ingress.routing import (
    Asked,
    HeaderChanges,
    Pair,
    PathChange,
    Redirect,
    Rule,
    Table,
    path_matches,
)
from k8slab.linux.http import Request


@pytest.mark.parametrize(
    ("kind", "pattern", "path", "expected"),
    [  # the table of the Ingress documentation
        ("Prefix", "/", "/anything", True),
        ("Exact", "/foo", "/foo", True),
        ("Exact", "/foo", "/foo/", False),
        ("Exact", "/foo/", "/foo", False),
        ("Prefix", "/foo", "/foo/", True),
        ("Prefix", "/foo/", "/foo", True),
        ("Prefix", "/aaa/bb", "/aaa/bbb", False),
        ("Prefix", "/aaa/bbb/", "/aaa/bbb", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", False),
        ("String", "/aaa/bbb", "/aaa/bbbxyz", True),
        ("RegularExpression", "/a/[0-9]+", "/a/12", True),
        ("RegularExpression", "/a/(", "/a/(", False),
    ],
)
def test_a_path_matches_as_documented(kind: str, pattern: str, path: str, expected: bool) -> None:
    assert path_matches(kind, pattern, path) is expected


PATHS = st.lists(st.sampled_from("ab"), max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(PATHS, PATHS)
def test_a_prefix_counts_whole_elements(pattern: str, path: str) -> None:
    wanted, given_ = pattern.strip("/").split("/"), path.strip("/").split("/")
    wanted = [] if wanted == [""] else wanted
    assert path_matches("Prefix", pattern, path) == (given_[: len(wanted)] == wanted)


@pytest.mark.parametrize(
    ("host", "deep", "expected"),
    [
        ("shop.example", False, "exact"),
        ("SHOP.example", False, "exact"),
        ("a.example", False, "wildcard"),
        ("a.b.example", False, "any"),
        ("a.b.example", True, "wildcard"),
        ("example", True, "any"),
        ("other", False, "any"),
    ],
)
def test_the_most_specific_host_is_asked(host: str, deep: bool, expected: str) -> None:
    hosts = {"exact": "shop.example", "wildcard": "*.example", "any": ""}
    rules = [Rule(host=name, source=source) for source, name in hosts.items()]
    found = Table(rules, deep_wildcards=deep).find(80, host, Asked())
    assert found is not None
    assert found.source == expected


def test_a_host_without_the_path_is_not_looked_for_elsewhere() -> None:
    table = Table([Rule(host="shop.example", path="/cart"), Rule()])
    assert table.find(80, "shop.example", Asked(path="/")) is None
    assert table.find(8080, "other", Asked(path="/")) is None


@pytest.mark.parametrize(
    ("rule", "asked", "expected"),
    [
        (Rule(method="POST"), Asked(), False),
        (Rule(headers=(Pair("v", "2"),)), Asked(headers={"v": "2"}), True),
        (Rule(headers=(Pair("v", "2"),)), Asked(headers={"v": "23"}), False),
        (Rule(headers=(Pair("v", "2.?", True),)), Asked(headers={"v": "23"}), True),
        (Rule(query=(Pair("q", "a"),)), Asked(query={"q": "b"}), False),
    ],
)
def test_method_headers_and_query_must_fit(rule: Rule, asked: Asked, expected: bool) -> None:
    assert rule.matches(asked) is expected


@pytest.mark.parametrize(
    ("path", "prefix", "replacement", "whole", "expected"),
    [  # the tables of HTTPPathModifier
        ("/foo/bar", "/foo", "/xyz", False, "/xyz/bar"),
        ("/foo/bar", "/foo/", "/xyz/", False, "/xyz/bar"),
        ("/foo", "/foo", "/xyz", False, "/xyz"),
        ("/foo/", "/foo", "/xyz", False, "/xyz/"),
        ("/foo/bar", "/foo", "/", False, "/bar"),
        ("/foo", "/foo", "/", False, "/"),
        ("/foo/bar", "/foo", "/one", True, "/one"),
    ],
)
def test_a_path_is_replaced_as_documented(
    path: str, prefix: str, replacement: str, whole: bool, expected: str
) -> None:
    rule = Rule(path=prefix, path_change=PathChange(replacement, whole))
    assert changed_path(path, rule) == expected


def test_a_pattern_hands_its_groups_to_the_target() -> None:
    rule = Rule(path="/api(/|$)(.*)", path_regex="/$2")
    assert [changed_path(path, rule) for path in ("/api/x/y", "/api")] == ["/x/y", "/"]


def test_headers_are_set_added_and_removed_in_this_order() -> None:
    changes = HeaderChanges((Pair("A", "1"),), (Pair("b", "2"),), ("C",))
    request = Request(headers={"a": "0", "B": "1", "c": "x"}, target="/p?q=1")
    found = rewritten(request, Rule(request_headers=(changes,), hostname="in.example"))
    assert dict(found.headers) == {"Host": "in.example", "A": "1", "b": "1,2"}
    assert found.target == "/p?q=1"


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        (Redirect(scheme="https"), "https://shop.example/p?q=1"),
        (Redirect(hostname="new.example"), "http://new.example:8080/p?q=1"),
        (Redirect(port=80), "http://shop.example/p?q=1"),
        (Redirect(port=81, path=PathChange("/new", True)), "http://shop.example:81/new?q=1"),
    ],
)
def test_a_redirect_keeps_what_it_does_not_change(redirect: Redirect, expected: str) -> None:
    request = Request(target="/p?q=1", headers={"Host": "shop.example:8080"})
    answer = redirected(request, Rule(redirect=redirect), "http", 8080)
    assert (answer.status, answer.header("Location")) == (302, expected)
