"""What is printed: columns, paths, templates, sorted lists, errors."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import errors, jsonpath
from k8slab.api.errors import FieldError
from k8slab.api.scheme import resource_for
from k8slab.client import ConnectionFailed
from k8slab.kubectl import custom_columns, go_template
from k8slab.kubectl.errors import CommandError, SeveralErrors, report
from k8slab.kubectl.sorting import order_by
from k8slab.kubectl.tabwriter import DESCRIBE, TABLE, lines

POD: dict[str, Any] = {
    "metadata": {"name": "web", "labels": {"app": "a", "tier.io/x": "b"}},
    "spec": {"containers": [{"name": "c0", "image": "x"}, {"name": "c1", "image": "y", "n": 2}]},
    "status": {"ready": True, "conditions": [{"type": "Ready", "status": "True"}]},
}


def test_a_line_without_tabs_ends_the_columns_above_it() -> None:
    text = "Name:\tx\nLong name:\ty\nIPs:\n  IP:\tz\n"
    assert lines(text, DESCRIBE) == "Name:       x\nLong name:  y\nIPs:\n  IP:  z\n"


def test_a_table_has_three_blanks_between_columns_and_none_at_the_end() -> None:
    assert lines("NAME\tAGE\nw\t5s\n", TABLE) == "NAME   AGE\nw      5s\n"


@given(st.lists(st.lists(st.text("abc", max_size=6), min_size=1, max_size=4), max_size=6))
def test_lining_up_only_adds_blanks(rows: list[list[str]]) -> None:
    text = "\n".join("\t".join(row) for row in rows)
    assert re.sub(r"[ \t]", "", lines(text)) == re.sub(r"[ \t]", "", text)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.metadata.name}", "web"),
        ("{$.metadata.name}", "web"),
        ("{.metadata.labels.tier\\.io/x}", "b"),
        ("{.metadata.labels['app']}", "a"),
        ("{.spec.containers[*].name}", "c0 c1"),
        ("{.spec.containers[-1].name}", "c1"),
        ("{.spec.containers[0:1].image}", "x"),
        ("{.spec.containers[0,1].image}", "x y"),
        ("{..name}", "web c0 c1"),
        ('{.spec.containers[?(@.name=="c1")].image}', "y"),
        ("{.spec.containers[?(@.n)].image}", "y"),
        ("{.spec.containers[?(@.n > 1)].image}", "y"),
        ("{range .spec.containers[*]}{.name}={.image}{'\\n'}{end}", "c0=x\nc1=y\n"),
        ("{.status.ready} {.status.conditions[0]}", 'true {"status":"True","type":"Ready"}'),
        ("{.nothing.here}", ""),
    ],
)
def test_a_jsonpath_finds_what_kubectl_finds(template: str, text: str) -> None:
    assert jsonpath.parse(template).render(POD) == text


@pytest.mark.parametrize("template", ["{.a", "{range .a}x", "{end}", "{.a[b]}", "{.a[?(@.b]}"])
def test_a_broken_jsonpath_is_refused(template: str) -> None:
    with pytest.raises(jsonpath.JsonPathError):
        jsonpath.parse(template)


def test_an_index_outside_the_list_is_an_error() -> None:
    with pytest.raises(
        jsonpath.JsonPathError, match="array index out of bounds: index 5, length 2"
    ):
        jsonpath.parse("{.spec.containers[5].name}").render(POD)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.metadata.name}} {{len .spec.containers}}", "web 2"),
        ("{{range .spec.containers}}{{.name}},{{end}}", "c0,c1,"),
        ("{{if .spec.paused}}yes{{else}}no{{end}}", "no"),
        ('{{index .metadata.labels "app"}}{{"\\n"}}', "a\n"),
        ("{{.nothing}}", "<no value>"),
    ],
)
def test_a_go_template_is_rendered(template: str, text: str) -> None:
    assert go_template.parse(template).render(POD) == text


def test_custom_columns_join_many_values_and_show_none() -> None:
    columns = custom_columns.parse("NAME:.metadata.name,IMAGES:.spec.containers[*].image,X:.nope")
    assert custom_columns.render(columns, POD) == "NAME   IMAGES   X\nweb    x,y      <none>\n"


def test_quantities_are_sorted_by_size_and_numbers_too() -> None:
    objects = [{"n": v} for v in ("1Gi", "64Mi", "500")]
    assert [objects[place]["n"] for place in order_by(objects, ".n")] == ["500", "64Mi", "1Gi"]


def _field(path: str) -> FieldError:
    return errors.required(path)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            errors.not_found(resource_for("Pod"), "x"),
            'Error from server (NotFound): pods "x" not found\n',
        ),
        (errors.unknown("etcd is down"), "Error from server: etcd is down\n"),
        (
            errors.invalid("Service", "b", [_field("spec.a"), _field("spec.b")]),
            'The Service "b" is invalid: \n* spec.a: Required value\n* spec.b: Required value\n',
        ),
        (
            errors.invalid("Service", "b", [_field("spec.a")]),
            'The Service "b" is invalid: spec.a: Required value\n',
        ),
        (CommandError("no"), "error: no\n"),
        (
            ConnectionFailed("dial tcp: i/o timeout"),
            "Unable to connect to the server: dial tcp: i/o timeout\n",
        ),
        (
            SeveralErrors([CommandError("a"), errors.bad_request("b")]),
            "a\nError from server (BadRequest): b\n",
        ),
    ],
)
def test_errors_are_reported_as_kubectl_does(error: Exception, text: str) -> None:
    assert report(error) == (text, 1)
