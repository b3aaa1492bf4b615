"""What a CustomResourceDefinition must be, and what of it can never change.

`definition` checks a new one, `definition_update` a change. What a schema in it must be is in
`structural_schemas`.

Rule of use: pure generators of field errors, as all of `validation`.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from k8slab.api import conditions, errors, jsonpath
from k8slab.api.apiextensions import (
    ESTABLISHED,
    CustomResourceColumnDefinition,
    CustomResourceConversion,
    CustomResourceDefinition,
    CustomResourceDefinitionNames,
    CustomResourceDefinitionSpec,
    CustomResourceDefinitionVersion,
    CustomResourceSubresourceScale,
)
from k8slab.api.errors import FieldError
from k8slab.control_plane.apiserver.validation.formats import dns_subdomain, immutable, one_of
from k8slab.control_plane.apiserver.validation.structural_schemas import schema_errors

Errors = Iterator[FieldError]
LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"
LABEL_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{LABEL}')"
)
APPROVED = "api-approved.kubernetes.io"
APPROVAL = (
    f'protected groups must have approval annotation "{APPROVED}", see '
    "https://github.com/kubernetes/enhancements/pull/1111"
)
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
MAX_SELECTABLE = 8


def definition(crd: CustomResourceDefinition) -> Errors:
    """Yield what is wrong with a definition."""
    spec = crd.spec
    if crd.metadata.name != f"{spec.names.plural}.{spec.group}":
        why = 'must be spec.names.plural+"."+spec.group'
        yield errors.invalid_value("metadata.name", crd.metadata.name, why)
    if _is_protected(spec.group) and not crd.metadata.annotations.get(APPROVED):
        yield errors.required(f"metadata.annotations[{APPROVED}]", APPROVAL)
    yield from _spec(spec)


def definition_update(new: CustomResourceDefinition, old: CustomResourceDefinition) -> Errors:
    """Yield what is wrong with a changed definition, or with the change."""
    if _is_protected(old.spec.group) and not old.metadata.annotations.get(APPROVED):
        new = replace(new, metadata=replace(new.metadata, annotations={APPROVED: "before"}))
    yield from definition(new)
    if conditions.is_true(old.status.conditions, ESTABLISHED):
        yield from immutable("spec.scope", new.spec.scope, old.spec.scope)
        yield from immutable("spec.names.kind", new.spec.names.kind, old.spec.names.kind)
    yield from immutable("spec.group", new.spec.group, old.spec.group)
    yield from immutable("spec.names.plural", new.spec.names.plural, old.spec.names.plural)
    names = [version.name for version in new.spec.versions]
    for index, stored in enumerate(old.status.storedVersions):
        if stored not in names:
            why = "missing from spec.versions; "
            why += f"{stored} was previously a storage version, and must remain in spec.versions "
            why += "until a storage migration ensures no data remains persisted in "
            why += f"{stored} and removes {stored} from status.storedVersions"
            yield errors.invalid_value(f"status.storedVersions[{index}]", stored, why)


def _is_protected(group: str) -> bool:
    return any(group == end or group.endswith(f".{end}") for end in ("k8s.io", "kubernetes.io"))


def _spec(spec: CustomResourceDefinitionSpec) -> Errors:
    if not spec.group:
        yield errors.required("spec.group")
    elif dns_subdomain(spec.group):
        yield errors.invalid_value("spec.group", spec.group, ",".join(dns_subdomain(spec.group)))
    elif "." not in spec.group:
        why = "should be a domain with at least one dot"
        yield errors.invalid_value("spec.group", spec.group, why)
    yield from one_of("spec.scope", spec.scope, ("Cluster", "Namespaced"))
    for index, version in enumerate(spec.versions):
        yield from _version(version, f"spec.versions[{index}]")
    names = [version.name for version in spec.versions]
    if len(dict.fromkeys(names)) < len(names):
        why = "must contain unique version names"
        yield errors.invalid_value("spec.versions", spec.versions, why)
    if sum(version.storage for version in spec.versions) != 1:
        why = "must have exactly one version marked as storage version"
        yield errors.invalid_value("spec.versions", spec.versions, why)
    for name in ("plural", "singular", "kind", "listKind"):
        if not getattr(spec.names, name):
            yield errors.required(f"spec.names.{name}")
    yield from _names(spec.names)
    if spec.preserveUnknownFields:
        why = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        yield errors.invalid_value("spec.preserveUnknownFields", True, why)
    yield from _conversion(spec.conversion)


def _names(names: CustomResourceDefinitionNames) -> Errors:
    for field in ("plural", "singular"):
        yield from _label(f"spec.names.{field}", getattr(names, field))
    for field in ("kind", "listKind"):
        value = getattr(names, field)
        if value and not re.fullmatch(LABEL, value.lower()):
            why = f"may have mixed case, but should otherwise match: {LABEL_TEXT}"
            yield errors.invalid_value(f"spec.names.{field}", value, why)
    for index, short in enumerate(names.shortNames):
        yield from _label(f"spec.names.shortNames[{index}]", short)
    if names.kind and names.kind == names.listKind:
        why = "kind and listKind may not be the same"
        yield errors.invalid_value("spec.names.listKind", names.listKind, why)
    for index, category in enumerate(names.categories):
        yield from _label(f"spec.names.categories[{index}]", category)


def _label(path: str, text: str) -> Errors:
    reasons = [] if not text or re.fullmatch(LABEL, text) else [LABEL_TEXT]
    if len(text) > 63:
        reasons.insert(0, "must be no more than 63 bytes")
    if reasons:
        yield errors.invalid_value(path, text, ",".join(reasons))


def _version(version: CustomResourceDefinitionVersion, path: str) -> Errors:
    if not version.name:
        yield errors.invalid_value(f"{path}.name", "", LABEL_TEXT)
    yield from _label(f"{path}.name", version.name)
    if version.deprecationWarning is not None and not version.deprecated:
        why = "can only be set for deprecated versions"
        yield errors.invalid_value(f"{path}.deprecationWarning", version.deprecationWarning, why)
    subresources = version.subresources
    has_status = subresources is not None and subresources.status is not None
    if version.schema is None or version.schema.openAPIV3Schema is None:
        yield errors.required(f"{path}.schema.openAPIV3Schema", "schemas are required")
    else:
        schema = version.schema.openAPIV3Schema
        yield from schema_errors(schema, f"{path}.schema.openAPIV3Schema", has_status=has_status)
    if subresources is not None and subresources.scale is not None:
        yield from _scale(subresources.scale, f"{path}.subresources.scale")
    for index, column in enumerate(version.additionalPrinterColumns):
        yield from _column(column, f"{path}.additionalPrinterColumns[{index}]")
    if len(version.selectableFields) > MAX_SELECTABLE:
        yield errors.too_many(f"{path}.selectableFields", MAX_SELECTABLE)
    for index, field in enumerate(version.selectableFields):
        if not field.jsonPath:
            yield errors.required(f"{path}.selectableFields[{index}].jsonPath")


def _scale(scale: CustomResourceSubresourceScale, path: str) -> Errors:
    for name, start in (
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
        ("labelSelectorPath", ""),
    ):
        value = getattr(scale, name)
        if not value:
            if start:
                yield errors.required(f"{path}.{name}")
        elif start and not value.startswith(start):
            why = f"should be a json path under {start[:-1]}"
            yield errors.invalid_value(f"{path}.{name}", value, why)
        elif not start and not value.startswith((".spec.", ".status.")):
            why = "should be a json path under either .spec or .status"
            yield errors.invalid_value(f"{path}.{name}", value, why)


def _column(column: CustomResourceColumnDefinition, path: str) -> Errors:
    if not column.name:
        yield errors.required(f"{path}.name")
    types = f"must be one of {','.join(COLUMN_TYPES)}"
    if not column.type:
        yield errors.required(f"{path}.type", types)
    elif column.type not in COLUMN_TYPES:
        yield errors.invalid_value(f"{path}.type", column.type, types)
    if column.format and column.format not in COLUMN_FORMATS:
        formats = f"must be one of {','.join(COLUMN_FORMATS)}"
        yield errors.invalid_value(f"{path}.format", column.format, formats)
    if not column.jsonPath:
        yield errors.required(f"{path}.jsonPath")
        return
    try:
        jsonpath.relaxed(column.jsonPath)
    except jsonpath.JsonPathError as error:
        yield errors.invalid_value(f"{path}.jsonPath", column.jsonPath, str(error))


def _conversion(conversion: CustomResourceConversion | None) -> Errors:
    if conversion is None:
        return
    yield from one_of("spec.conversion.strategy", conversion.strategy, ("None", "Webhook"))
    if conversion.strategy == "Webhook" and not (conversion.webhook or {}).get("clientConfig"):
        why = "required when strategy is set to Webhook"
        yield errors.required("spec.conversion.webhook.clientConfig", why)
