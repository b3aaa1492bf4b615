"""The forms in which objects are printed: yaml, json, name, jsonpath, custom-columns.

`printer_for(output)` returns a function from objects to text; tables are in `tables`.

Rule of use: what is printed is what the API server sent; whole objects without managedFields,
unless these are asked for. Templates see them.

Upstream: staging/src/k8s.io/cli-runtime/pkg/printers, pkg/genericclioptions/print_flags.go
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api import codec, jsonpath
from k8slab.api.yaml_text import dump
from k8slab.kubectl import custom_columns, go_template, kyaml
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
FILES = {
    "go-template-file": "go-template",
    "templatefile": "go-template",
    "jsonpath-file": "jsonpath",
}
Print = Callable[[Any, bool], str]


def plain(obj: Any) -> Any:
    """Return an object as the plain data that a client receives."""
    return codec.to_dict(obj) if isinstance(obj, msgspec.Struct) else obj


def without_books(data: Any) -> Any:
    """Return plain data without managedFields; those of a List are taken from its items."""
    if data.get("kind") == "List":
        return {**data, "items": [without_books(item) for item in data["items"]]}
    if "managedFields" not in data.get("metadata", {}):
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
        output = output or name
    if output in ("", "wide"):
        return None
    if output in ("json", "yaml", "kyaml"):
        return _whole(output, managed_fields=call.flags.on("show-managed-fields"))
    if name in FILES:
        name, argument = FILES[name], _template_file(call, argument)
    strict = not call.flags.on("allow-missing-template-keys")
    if name in ("jsonpath", "jsonpath-as-json"):
        return _jsonpath(argument, as_json=name.endswith("json"), strict=strict)
    if name in ("go-template", "template"):
        return _go_template(call, argument, strict=strict)
    if name in ("custom-columns", "custom-columns-file") and name in allowed:
        return _custom_columns(call, name, argument)
    raise CommandError(
        f'unable to match a printer suitable for the output format "{output}", allowed formats '
        f"are: {allowed}"
    )


def _template_file(call: Invocation, path: str) -> str:
    if not path:
        return ""
    try:
        return call.around.read_file(path)
    except OSError:
        problem = f"open {path}: no such file or directory"
        raise CommandError(f"error reading --template {path}, {problem}") from None


def _whole(output: str, *, managed_fields: bool) -> Print:
    def write(data: Any, first: bool) -> str:
        data = data if managed_fields else without_books(data)
        if output == "json":
            return to_json(data)
        if output == "kyaml":
            return kyaml.document(data)
        return ("" if first else "---\n") + dump(data)

    return write


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


def _jsonpath(template: str, *, as_json: bool, strict: bool) -> Print:
    if not template:
        raise CommandError("template format specified but no template given")
    try:
        parsed = jsonpath.parse(template)
    except jsonpath.JsonPathError as error:
        raise CommandError(f"error parsing jsonpath {template}, {error}") from None

    def write(data: Any, first: bool) -> str:
        try:
            if as_json:
                values = [value for group in parsed.results(data, strict) for value in group]
                return json.dumps(values, indent=4, sort_keys=True) + "\n"
            return parsed.render(data, strict)
        except jsonpath.JsonPathError as error:
            said = _debugging(
                error, template, f"object given to jsonpath engine was:\n\t\t{go_value(data)}"
            )
            raise CommandError(f'error executing jsonpath "{template}": {said}\n\n') from None

    return write


def _debugging(error: Exception, template: str, rest: str) -> str:
    """Return what kubectl says of a template that cannot be carried out."""
    return (
        f"Error executing template: {error}. Printing more information for debugging the "
        f"template:\n\ttemplate was:\n\t\t{template}\n\t{rest}\n"
    )


def go_value(data: Any) -> str:
    """Return plain data as Go's %#v writes it.

    >>> go_value({"a": [1, None]})
    'map[string]interface {}{"a":[]interface {}{1, interface {}(nil)}}'
    """
    if isinstance(data, Mapping):
        fields = ", ".join(f"{_quoted(key)}:{go_value(data[key])}" for key in sorted(data))
        return f"map[string]interface {{}}{{{fields}}}"
    if isinstance(data, list | tuple):
        return f"[]interface {{}}{{{', '.join(map(go_value, data))}}}"
    if isinstance(data, str):
        return _quoted(data)
    return "interface {}(nil)" if data is None else json.dumps(data)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _go_template(call: Invocation, template: str, *, strict: bool) -> Print:
    if not template:
        raise CommandError("template format specified but no template given")
    try:
        parsed = go_template.parse(template, strict=strict)
    except go_template.TemplateError as error:
        raise CommandError(f"error parsing template {template}, {error}") from None

    def write(data: Any, first: bool) -> str:
        try:
            return parsed.render(data)
        except go_template.RunError as error:
            raw = f"raw data was:\n\t\t{compact_json(data)}"
            given = f"object given to template engine was:\n\t\t{go_template.go_text(data)}"
            call.print(error.written + _debugging(error, template, f"{raw}\n\t{given}"))
            raise CommandError(f"error executing template {_quoted(template)}: {error}") from None

    return write


def _custom_columns(call: Invocation, name: str, spec: str) -> Print:
    if name == "custom-columns-file":
        columns = custom_columns.parse_file(call.around.read_file, spec)
    else:
        columns = custom_columns.parse(spec)
    headless = call.flags.has("no-headers") and call.flags.on("no-headers")
    return lambda data, first: custom_columns.render(columns, data, headers=first and not headless)
