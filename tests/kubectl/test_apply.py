"""apply: what was applied last, what is wanted, what is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.client import STRATEGIC_PATCH
from k8slab.client.patch import apply as patched
from k8slab.kubectl.three_way import patch
from tests.kubectl.desk import Desk

SCALARS = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans())
PLAIN = st.recursive(
    SCALARS, lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3), max_leaves=6
)
MAPS = st.dictionaries(st.sampled_from("pqr"), PLAIN, max_size=3)


@given(MAPS, MAPS)
def test_after_the_patch_what_was_applied_alone_is_what_is_wanted(old: Any, new: Any) -> None:
    assert patched(old, patch(old, new, old), STRATEGIC_PATCH) == new


@given(MAPS, MAPS)
def test_fields_of_others_stay(ours: Any, theirs: Any) -> None:
    live = {**ours, "other": theirs}
    assert patched(live, patch(ours, ours, live), STRATEGIC_PATCH) == live


@pytest.mark.parametrize(
    ("before", "wanted", "live", "expected"),
    [
        ({"r": 2}, {"r": 3}, {"r": 2}, {"r": 3}),
        ({"r": 2}, {}, {"r": 5}, {"r": None}),
        ({}, {}, {"r": 5}, {}),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": [{"name": "A", "value": "3"}]},
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {
                "$setElementOrder/env": [{"name": "A"}],
                "env": [{"value": "3", "name": "A"}, {"$patch": "delete", "name": "B"}],
            },
        ),
        ({}, {"args": ["a"]}, {"args": ["b"]}, {"args": ["a"]}),
        (
            {},
            {"strategy": {"type": "Recreate"}},
            {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
            {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}},
        ),
    ],
)
def test_the_patch_says_only_what_has_to_change(
    before: Any, wanted: Any, live: Any, expected: Any
) -> None:
    assert patch(before, wanted, live) == expected


def test_an_applied_object_is_created_then_unchanged_then_configured(desk: Desk, web: str) -> None:
    outputs = [
        desk.run("apply -f -", text).stdout for text in (web, web, web.replace("1.25", "1.26"))
    ]
    words = [[line.split()[1] for line in output.splitlines()] for output in outputs]
    assert words == [["created"] * 2, ["unchanged"] * 2, ["configured", "unchanged"]]


def test_a_bad_document_does_not_hide_those_behind_it(desk: Desk, web: str) -> None:
    result = desk.run(
        "apply -f -", "{apiVersion: v1, kind: Podd, metadata: {name: c}}\n---\n" + web
    )
    assert result.stdout == "deployment.apps/web created\nservice/web created\n"
    assert 'no matches for kind "Podd" in version "v1"' in result.stderr
    assert result.exit_code == 1


def test_an_object_created_otherwise_is_warned_of(desk: Desk, web: str) -> None:
    desk.run("create -f -", web)
    result = desk.run("apply -f -", web)
    assert "Warning: resource services/web is missing the" in result.stderr
    assert result.stdout == "deployment.apps/web configured\nservice/web configured\n"


def test_a_dry_run_changes_nothing(desk: Desk, web: str) -> None:
    for way, note in (("client", "dry run"), ("server", "server dry run")):
        assert desk.run(f"apply -f - --dry-run={way}", web).stdout.endswith(f"created ({note})\n")
    assert desk.run("get deploy").stderr == "No resources found in default namespace.\n"


@pytest.mark.parametrize(
    ("text", "stderr"),
    [
        ("a: b", "[apiVersion not set, kind not set]"),
        (
            "apiVersion: v1\nkind: Pod\n  bad: [",
            "error: error parsing STDIN: error converting YAML",
        ),
        ("", "error: no objects passed to apply"),
    ],
)
def test_text_that_is_no_object_is_refused(desk: Desk, text: str, stderr: str) -> None:
    assert stderr in desk.run("apply -f -", text).stderr


def test_files_are_read_through_the_reader_that_was_given(desk: Desk, web: str) -> None:
    desk.files["web.yaml"] = web
    assert desk.run("apply -f web.yaml").exit_code == 0
    assert desk.run("apply -f no.yaml").stderr == 'error: the path "no.yaml" does not exist\n'
