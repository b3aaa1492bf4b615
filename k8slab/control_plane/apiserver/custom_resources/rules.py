"""Rules in CEL: `x-kubernetes-validations` of a schema, asked of the values that it describes.

    rule: self.minReplicas <= self.replicas          about the value itself
    rule: self == oldSelf                            about a change: only asked if there is one

Rule of use: `rule_errors` when a definition is written, `broken_rules` for each object; pure. A
rule that needs a function which the lab does not have is not asked.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from k8slab.api import errors
from k8slab.api.apiextensions import JSONSchemaProps, ValidationRule
from k8slab.api.errors import FieldError
from k8slab.control_plane.apiserver.cel import (
    CelError,
    CelSyntaxError,
    Node,
    Optional,
    evaluate,
    parse,
    undeclared,
)
from k8slab.control_plane.apiserver.cel.check import names_in, placed
from k8slab.control_plane.apiserver.cel.functions import NOT_HERE
from k8slab.control_plane.apiserver.custom_resources.structural import inner_schema
from k8slab.control_plane.apiserver.custom_resources.values import ABSENT, counterpart

VARIABLES = ("self", "oldSelf")
REASONS = ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")
MAX_MESSAGE = 2048  # characters


def rule_errors(rules: Sequence[ValidationRule], path: str) -> Iterator[FieldError]:
    """Yield what is wrong with the rules of a schema."""
    for index, rule in enumerate(rules):
        where = f"{path}[{index}]"
        text = rule.rule.strip()
        if not text:
            yield errors.required(f"{where}.rule", "rule is not specified")
            continue
        if rule.message and "\n" in rule.message:
            why = "message must not contain line breaks"
            yield errors.invalid_value(f"{where}.message", rule.message, why)
        elif len(rule.message) > MAX_MESSAGE:
            yield errors.too_long(f"{where}.message", MAX_MESSAGE)
        if "\n" in text and not rule.message and not rule.messageExpression:
            why = "message must be specified if rule contains line breaks"
            yield errors.required(f"{where}.message", why)
        if rule.reason is not None and rule.reason not in REASONS:
            yield errors.not_supported(f"{where}.reason", rule.reason, REASONS)
        for field, expression in (
            ("rule", rule.rule),
            ("messageExpression", rule.messageExpression),
        ):
            problem = _problem(expression) if expression else ""
            if problem:
                yield errors.invalid_value(f"{where}.{field}", expression, problem)


def _problem(text: str) -> str:
    """Return why an expression cannot be compiled, "" if it can."""
    try:
        tree = parse(text)
    except CelSyntaxError as problem:
        return f"compilation failed: {placed(text, str(problem), problem.at)}"
    found = [
        placed(text, f"undeclared reference to '{name}' (in container '')", at)
        for name, at in undeclared(tree, VARIABLES)
    ]
    return f"compilation failed: {chr(10).join(found)}" if found else ""


def has_rules(schema: JSONSchemaProps) -> bool:
    """Say whether a schema, or any within it, has rules."""
    inner = [*schema.properties.values(), *schema.allOf]
    inner += [schema.items] if schema.items is not None else []
    more = schema.additionalProperties
    inner += [more] if isinstance(more, JSONSchemaProps) else []
    return bool(schema.validations) or any(has_rules(part) for part in inner)


def broken_rules(value: Any, schema: JSONSchemaProps, path: str, old: Any) -> Iterator[FieldError]:
    """Yield an error for each rule that a value, or one within it, breaks; `old` or ABSENT."""
    if value is None:
        return
    for rule in schema.validations:
        yield from _asked(rule, value, schema, path, old)
    if isinstance(value, Mapping):
        for key in sorted(value):
            inner = inner_schema(schema, key)
            if inner is not None:
                before = old.get(key, ABSENT) if isinstance(old, Mapping) else ABSENT
                yield from broken_rules(value[key], inner, _below(path, key, schema), before)
    elif isinstance(value, list | tuple) and schema.items is not None:
        for index, item in enumerate(value):
            before = counterpart(item, schema, old)
            yield from broken_rules(item, schema.items, f"{path}[{index}]", before)


def _below(path: str, key: str, schema: JSONSchemaProps) -> str:
    if key not in schema.properties:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _asked(
    rule: ValidationRule, value: Any, schema: JSONSchemaProps, path: str, old: Any
) -> Iterator[FieldError]:
    tree, names = _compiled(rule.rule)
    about_change = "oldSelf" in names
    was_there = old is not ABSENT and old is not None
    if tree is None or any(name in NOT_HERE for name in names):
        return
    if about_change and not was_there and not rule.optionalOldSelf:
        return
    if not about_change and was_there and old == value:  # as it was: not held against the update
        return
    before = Optional(old, True) if was_there else Optional()
    variables = {"self": value, "oldSelf": before if rule.optionalOldSelf else old}
    where = path + rule.fieldPath if path else rule.fieldPath.removeprefix(".")
    kind = schema.type or "object"
    try:
        if evaluate(tree, variables) is True:
            return
    except (CelError, RecursionError) as error:
        said = rule.message.strip() or rule.rule.strip()
        if str(error).startswith("no such overload"):
            why = f"'{error}': call arguments did not match a supported operator, function or "
            said = f"{why}macro signature for rule: {said}"
        else:
            said = f"{error} evaluating rule: {said}"
        yield errors.invalid_value(path or "<nil>", kind, said)
        return
    yield _refusal(rule, where or "<nil>", kind, _message(rule, variables))


def _message(rule: ValidationRule, variables: Mapping[str, Any]) -> str:
    if rule.messageExpression:
        tree, _ = _compiled(rule.messageExpression)
        try:
            said = evaluate(tree, variables) if tree is not None else None
        except CelError:
            said = None
        if isinstance(said, str) and said.strip() and "\n" not in said:
            return said.strip()
    return rule.message.strip() or f"failed rule: {rule.rule.strip()}"


def _refusal(rule: ValidationRule, path: str, kind: str, detail: str) -> FieldError:
    if rule.reason == "FieldValueForbidden":
        return errors.forbidden_field(path, detail)
    if rule.reason == "FieldValueRequired":
        return errors.required(path, detail)
    if rule.reason == "FieldValueDuplicate":
        return errors.duplicate(path, kind)
    return errors.invalid_value(path, kind, detail)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> tuple[Node | None, tuple[str, ...]]:
    """Return the tree of an expression and the names in it; no tree if it is none."""
    try:
        tree = parse(text)
    except CelSyntaxError:
        return None, ()
    return tree, tuple(dict.fromkeys(names_in(tree)))
