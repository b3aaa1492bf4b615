"""Rules in CEL (`x-kubernetes-validations`): placeholder until the evaluator is in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from k8slab.api.apiextensions import JSONSchemaProps, ValidationRule
from k8slab.api.errors import FieldError, required


def rule_errors(rules: Sequence[ValidationRule], path: str) -> Iterator[FieldError]:
    """Yield what is wrong with the rules of a schema."""
    for index, rule in enumerate(rules):
        if not rule.rule.strip():
            yield required(f"{path}[{index}].rule", "rule is not specified")


def has_rules(schema: JSONSchemaProps) -> bool:
    """Say whether there are rules."""
    return False


def broken_rules(value: Any, schema: JSONSchemaProps, path: str, old: Any) -> Iterator[FieldError]:
    """Yield the rules that are broken."""
    yield from ()
