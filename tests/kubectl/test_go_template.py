"""Go templates: what Go writes, and how Go complains."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.kubectl import go_template

SERVICE: dict[str, Any] = {
    "kind": "Service",
    "metadata": {"name": "web", "labels": {"app": "web", "tier": "x"}},
    "spec": {
        "ports": [{"name": "http", "port": 80}, {"name": "alt", "port": 8080}],
        "type": "ClusterIP",
        "nothing": None,
        "weight": 1.5,
    },
    "data": {"pw": "aHVudGVyMg=="},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            "{{.metadata.name}} {{.spec.ports}}",
            "web [map[name:http port:80] map[name:alt port:8080]]",
        ),
        ("{{range $i, $p := .spec.ports}}{{$i}}={{$p.port}};{{end}}", "0=80;1=8080;"),
        ("{{range $k, $v := .metadata.labels}}{{$k}}:{{$v}} {{end}}", "app:web tier:x "),
        ("{{range .spec.ports}}{{$.kind}}{{end}}", "ServiceService"),
        ("{{range .nope}}x{{else}}none{{end}}", "none"),
        ('{{range .spec.ports}}{{if eq .name "alt"}}{{break}}{{end}}{{.name}}{{end}}', "http"),
        ('{{range .spec.ports}}{{if eq .name "http"}}{{continue}}{{end}}{{.name}}{{end}}', "alt"),
        ("{{with .spec.nope}}a{{else}}b{{end}}{{with .kind}}{{.}}{{end}}", "bService"),
        ('{{if eq .kind "x"}}1{{else if eq .kind "Service"}}2{{else}}3{{end}}', "2"),
        ("{{(index .spec.ports 0).port}} {{len .spec.ports}}", "80 2"),
        ('{{.data.pw | base64decode | printf "%s!"}}', "hunter2!"),
        ("{{$n := .kind}}{{$n}}{{$n = `z`}}{{$n}}", "Servicez"),
        ('{{define "T"}}<{{.}}>{{end}}{{template "T" .kind}}', "<Service>"),
        ("a  {{- .kind -}}  b {{/* no */}}c", "aServiceb c"),
        ('{{print 1 2 "a" "b" 3}} {{println "x" 1}}', "1 2a b3 x 1\n".replace("a b", "ab")),
        ('{{printf "%5s|%-5s|%q|%t|%d|%v" "a" "b" "c" true 3 1.5}}', '    a|b    |"c"|true|3|1.5'),
        ('{{printf "%s %s" "a"}} {{printf "%s" "a" "b"}}', "a %!s(MISSING) a%!(EXTRA string=b)"),
        ('{{and 1 0}} {{or 0 "x"}} {{not .a}} {{eq 2 1 2}} {{lt 1 2}}', "0 x true true true"),
        (
            "{{.nope.x.y}} {{.spec.nothing}} {{1e6}} {{.spec.weight}}",
            "<no value> <no value> 1e+06 1.5",
        ),
        ('{{exists .spec "type"}} {{exists .spec "x"}} {{slice "abcd" 1 3}}', "true false bc"),
    ],
)
def test_it_writes_what_go_writes(template: str, text: str) -> None:
    assert go_template.parse(template).render(SERVICE) == text


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{.items", "unclosed action"),
        ("{{if}}", "missing value for if"),
        ("{{end}}", "unexpected {{end}}"),
        ("\n{{if .a}}", "unexpected EOF"),
        ("{{nope .a}}", 'function "nope" not defined'),
        ("{{$x}}", 'undefined variable "$x"'),
        ('{{"a', "unterminated quoted string"),
        ("{{}}", "missing value for command"),
        ("{{(.a}}", "unclosed left paren"),
    ],
)
def test_a_text_that_is_none_is_refused(template: str, problem: str) -> None:
    with pytest.raises(go_template.TemplateError) as refused:
        go_template.parse(template)
    assert str(refused.value).endswith(f": {problem}")
    assert str(refused.value).startswith(f"template: output:{1 + template.count(chr(10))}: ")


@pytest.mark.parametrize(
    ("template", "where", "problem"),
    [
        (
            "{{.metadata.name.x}}",
            "11: .metadata.name.x",
            "can't evaluate field x in type interface {}",
        ),
        ("{{.spec.nothing.x}}", "7: .spec.nothing.x", "nil pointer evaluating interface {}.x"),
        (
            "{{index .spec.ports 9}}",
            "2: index .spec.ports 9",
            "error calling index: index out of range: 9",
        ),
        (
            "{{eq 1 1.0}}",
            "2: eq 1 1.0",
            "error calling eq: incompatible types for comparison: int and float64",
        ),
        ("{{.kind .spec}}", "2: .kind", "kind is not a method but has arguments"),
        ("{{3 .spec}}", "2: 3", "can't give argument to non-function 3"),
        ("{{range .kind}}{{end}}", "8: .kind", "range can't iterate over Service"),
        ('x{{template "nope"}}', '12: {{template "nope"}}', 'template "nope" not defined'),
        ("{{nil}}", "2: nil", "nil is not a command"),
    ],
)
def test_what_cannot_be_done_names_the_place(template: str, where: str, problem: str) -> None:
    with pytest.raises(go_template.RunError) as failed:
        go_template.parse(template).render(SERVICE)
    column, _, source = where.partition(": ")
    head = f'template: output:1:{column}: executing "output" at <{source}>: '
    assert str(failed.value) == head + problem


def test_a_missing_key_is_an_error_where_it_is_asked_for() -> None:
    with pytest.raises(go_template.RunError, match='map has no entry for key "nope"'):
        go_template.parse("{{.nope}}", strict=True).render(SERVICE)
