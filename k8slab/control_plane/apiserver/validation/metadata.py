"""Validation of metadata: names, labels, annotations, owners, finalizers.

Rule of use: every kind goes through `metadata`, every update through `metadata_update` too.

Upstream: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go
"""

from __future__ import annotations

import re

from k8slab.api.errors import FieldError, invalid_value, required
from k8slab.api.meta import Object

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_RE, SUBDOMAIN_RE = re.compile(LABEL), re.compile(SUBDOMAIN)
LABEL_KINDS = frozenset({"Namespace", "Service"})  # names that become a part of a DNS name

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{LABEL}')"
)
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{SUBDOMAIN}')"
)
ANY_NAME = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})


def metadata(obj: Object) -> list[FieldError]:
    """Return what is wrong with the object's metadata."""
    meta = obj.metadata
    if not meta.name:
        return [required("metadata.name", "name or generateName is required")]
    if obj.kind in ANY_NAME:
        return []
    if obj.kind in LABEL_KINDS:
        return name_errors("metadata.name", meta.name, LABEL_RE, LABEL_TEXT, 63)
    return name_errors("metadata.name", meta.name, SUBDOMAIN_RE, SUBDOMAIN_TEXT, 253)


def name_errors(
    path: str, name: str, pattern: re.Pattern[str], text: str, longest: int
) -> list[FieldError]:
    """Return what is wrong with a name."""
    found = []
    if len(name) > longest:
        found.append(invalid_value(path, name, f"must be no more than {longest} bytes"))
    if not pattern.fullmatch(name):
        found.append(invalid_value(path, name, text))
    return found


def metadata_update(new: Object, old: Object) -> list[FieldError]:
    """Return what an update changes that cannot be changed."""
    found = []
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        before, after = getattr(old.metadata, field), getattr(new.metadata, field)
        if before != after:
            found.append(invalid_value(f"metadata.{field}", after, "field is immutable"))
    return found
