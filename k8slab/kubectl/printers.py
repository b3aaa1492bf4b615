"""The forms in which objects are printed: yaml, json, name, jsonpath, custom-columns.

`printer_for(output)` returns a function from objects to text; tables are in `tables`.

Rule of use: what is printed is what the API server sent, without managedFields unless asked for.

Upstream: staging/src/k8s.io/cli-runtime/pkg/printers, pkg/genericclioptions/print_flags.go
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api import codec, jsonpath
from k8slab.api.yaml_text import dump
from k8slab.kubectl import custom_columns, go_template
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Invocation

PRINT = (
    Flag("output", "o"),
    Flag("template"),
    flag_on("show-managed-fields"),
    flag_on("allow-missing-template-keys", default="true"),
)
FORMATS = (
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,"
    "jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml"
)
Print = Callable[[Any, bool], str]


def plain(obj: Any, *, managed_fields: bool = False) -> Any:
    """Return an object as the plain data that a client receives."""
    data = codec.to_dict(obj) if isinstance(obj, msgspec.Struct) else obj
    if managed_fields or "managedFields" not in data.get("metadata", {}):
        return data
    meta = {key: value for key, value in data["metadata"].items() if key != "managedFields"}
    return {**data, "metadata": meta}


def list_of(objects: Sequence[Any]) -> dict[str, Any]:
    """Return objects as the List that kubectl prints."""
    return {
        "apiVersion": "v1",
        "items": list(objects),
        "kind": "List",
        "metadata": {"resourceVersion": ""},
    }


def printer_for(call: Invocation, allowed: str = FORMATS) -> Print | None:
    """Return the printer of a form that is no table, None for tables; CommandError if unknown.

    It is given plain data (an object or a List), and whether it is the first.
    """
    output = call.flags.text("output")
    name, equals, argument = output.partition("=")
    if not equals and call.flags.given("template"):
        argument = call.flags.text("template")
        name = name or "go-template"
    if output in ("", "wide"):
        return None
    if output == "json":
        return lambda data, first: to_json(data)
    if output in ("yaml", "kyaml"):
        return lambda data, first: ("" if first else "---\n") + dump(data)
    if name in ("jsonpath", "jsonpath-as-json"):
        return _jsonpath(argument, as_json=name.endswith("json"))
    if name in ("go-template", "template"):
        return _go_template(argument)
    if name == "custom-columns" and "custom-columns" in allowed:
        return _custom_columns(call, argument)
    raise CommandError(
        f'unable to match a printer suitable for the output format "{output}", allowed formats '
        f"are: {allowed}"
    )


def to_json(data: Any) -> str:
    """Write plain data as `-o json` does: sorted, four blanks a level, HTML's signs escaped."""
    text = json.dumps(data, indent=4, sort_keys=True, ensure_ascii=False)
    return escape_html(text) + "\n"


def compact_json(data: Any) -> str:
    """Write plain data as Go's encoder does: sorted, without blanks, HTML's signs escaped."""
    return escape_html(msgspec.json.encode(data, order="sorted").decode())


def escape_html(text: str) -> str:
    """Escape the signs that Go's JSON encoder escapes."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _jsonpath(template: str, *, as_json: bool) -> Print:
    if not template:
        raise CommandError("template format specified but no template given")
    try:
        parsed = jsonpath.parse(template)
    except jsonpath.JsonPathError as error:
        raise CommandError(f"error parsing jsonpath {template}, {error}") from None

    def write(data: Any, first: bool) -> str:
        try:
            if as_json:
                values = [value for group in parsed.results(data) for value in group]
                return json.dumps(values, indent=4, sort_keys=True) + "\n"
            return parsed.render(data)
        except jsonpath.JsonPathError as error:
            raise CommandError(_template_failure("jsonpath", error, template, data)) from None

    return write


def _template_failure(kind: str, error: Exception, template: str, data: Mapping[str, Any]) -> str:
    raw = msgspec.json.encode(data, order="sorted").decode()
    return (
        f'error executing {kind} "{template}": Error executing template: {error}. Printing more '
        f"information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given "
        f"to {kind} engine was:\n\t\t{raw}\n\n"
    )


def _go_template(template: str) -> Print:
    if not template:
        raise CommandError("template format specified but no template given")
    try:
        parsed = go_template.parse(template)
    except go_template.TemplateError as error:
        raise CommandError(f"error parsing template {template}, {error}") from None
    return lambda data, first: parsed.render(data)


def _custom_columns(call: Invocation, spec: str) -> Print:
    columns = custom_columns.parse(spec)
    headless = call.flags.has("no-headers") and call.flags.on("no-headers")
    return lambda data, first: custom_columns.render(columns, data, headers=first and not headless)
