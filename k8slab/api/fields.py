"""Field selectors: which objects are meant, by a few of their fields.

Interface: ``parse`` ("spec.nodeName=x,status.phase!=Running") and ``FieldSelector``.
Rule: each kind offers a few fields only; which ones is the API server's business.

Upstream: staging/src/k8s.io/apimachinery/pkg/fields/selector.go
"""

import re
from collections.abc import Mapping

import msgspec

# Whatever comes first in the text splits it; a backslash takes the meaning from the next sign.
_TERM = re.compile(r"((?:\\.|[^\\=!]|!(?!=))*)(==|!=|=)(.*)", re.DOTALL)


class FieldRequirement(msgspec.Struct, frozen=True):
    """A field that must have, or must not have, a value."""

    field: str
    operator: str  # = or !=
    value: str

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Say whether the fields pass; an absent field counts as empty."""
        return (fields.get(self.field, "") == self.value) == (self.operator == "=")

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{_escape(self.value)}"


class FieldSelector(msgspec.Struct, frozen=True):
    """Requirements that must all hold."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Say whether an object with these fields is meant."""
        return all(requirement.matches(fields) for requirement in self.requirements)

    def exact(self, field: str) -> str | None:
        """Return the value that a field must have, or None if it is not fixed to one."""
        for requirement in self.requirements:
            if requirement.field == field and requirement.operator == "=":
                return requirement.value
        return None

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


def parse(text: str) -> FieldSelector:
    """Return the selector that --field-selector means; ValueError in upstream's words if none."""
    found = []
    for term in re.findall(r"(?:\\.|[^,\\])+", text):
        match = _TERM.fullmatch(term)
        if match is None:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
        field, operator, value = match.groups()
        sign = "!=" if operator == "!=" else "="
        found.append(FieldRequirement(field, sign, _unescape(value)))
    return FieldSelector(tuple(sorted(found, key=str)))


def _escape(value: str) -> str:
    return re.sub(r"([\\,=])", r"\\\1", value)


def _unescape(value: str) -> str:
    for match in re.finditer(r"\\(.?)|[,=]", value):
        if match.group() in (",", "="):
            raise ValueError(f"invalid field selector: unescaped character in value: {value}")
        if match.group(1) not in ("\\", ",", "="):
            raise ValueError(f"invalid field selector: invalid escape sequence: {match.group()}")
    return re.sub(r"\\(.)", r"\1", value)
