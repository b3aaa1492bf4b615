"""What the API says of its fields beforehand: which must be there, which take one of a few words.

`required_fields` and `choices` are asked with the name of a schema; `kubectl explain` and the
OpenAPI documents show what they answer.

Rule of use: adding a rule is adding a row to `required` or `choices`.

Upstream: api/openapi-spec/v3
"""

from __future__ import annotations

from k8slab.api.field_rules.choices import CHOICES
from k8slab.api.field_rules.required import REQUIRED


def required_fields(schema: str) -> tuple[str, ...]:
    """Return the fields that an object of a schema must have.

    >>> required_fields("io.k8s.api.core.v1.Taint")
    ('effect', 'key')
    """
    package, struct = _parts(schema)
    return tuple(REQUIRED.get(package, {}).get(struct, "").split())


def choices(schema: str, field: str) -> tuple[str, ...]:
    """Return the words that a field may have, () if there is no list of them.

    >>> choices("io.k8s.api.apps.v1.DeploymentStrategy", "type")
    ('Recreate', 'RollingUpdate')
    """
    package, struct = _parts(schema)
    return CHOICES.get(package, {}).get(f"{struct}.{field}", ())


def _parts(schema: str) -> tuple[str, str]:
    """Return "core.v1" and "Taint" of io.k8s.api.core.v1.Taint."""
    package, _, struct = schema.rpartition(".")
    return ".".join(package.split(".")[-2:]), struct
