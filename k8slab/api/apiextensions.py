"""CustomResourceDefinitions: kinds that are made while the cluster runs.

A definition names a kind, says in which versions and where it is served, and gives each version a
schema: `JSONSchemaProps`, the part of OpenAPI that Kubernetes understands, with its own extensions
(`x-kubernetes-...`). What it makes of the kind's objects is in `k8slab.api.custom`.

Rule of use: these are only the nouns; the API server's rules for them are in its
`custom_resources/`.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/types.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import field

from k8slab.api.meta import Object
from k8slab.api.struct import Part, Time, always, mapping

ESTABLISHED, NAMES_ACCEPTED, TERMINATING = "Established", "NamesAccepted", "Terminating"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"  # a finalizer


def _extension(name: str, default: Any = None) -> Any:
    return field(default=default, name=f"x-kubernetes-{name}")


class ValidationRule(Part):
    """One rule in the Common Expression Language (CEL) that a value must meet."""

    rule: str = always("")
    message: str = ""
    messageExpression: str = ""
    reason: str | None = None
    fieldPath: str = ""
    optionalOldSelf: bool | None = None


class ExternalDocumentation(Part):
    """Where a schema is explained."""

    description: str = ""
    url: str = ""


class JSONSchemaProps(Part):
    """What a value may be."""

    id: str = ""
    schema: str = field(default="", name="$schema")
    ref: str | None = field(default=None, name="$ref")
    description: str = ""
    type: str = ""
    nullable: bool = False
    format: str = ""
    title: str = ""
    default: Any = None
    maximum: float | int | None = None
    exclusiveMaximum: bool = False
    minimum: float | int | None = None
    exclusiveMinimum: bool = False
    maxLength: int | None = None
    minLength: int | None = None
    pattern: str = ""
    maxItems: int | None = None
    minItems: int | None = None
    uniqueItems: bool = False
    multipleOf: float | int | None = None
    enum: tuple[Any, ...] = ()
    maxProperties: int | None = None
    minProperties: int | None = None
    required: tuple[str, ...] = ()
    items: JSONSchemaProps | None = None
    allOf: tuple[JSONSchemaProps, ...] = ()
    oneOf: tuple[JSONSchemaProps, ...] = ()
    anyOf: tuple[JSONSchemaProps, ...] = ()
    not_: JSONSchemaProps | None = field(default=None, name="not")
    properties: Mapping[str, JSONSchemaProps] = mapping()
    additionalProperties: JSONSchemaProps | bool | None = None
    patternProperties: Mapping[str, JSONSchemaProps] = mapping()
    dependencies: Mapping[str, Any] = mapping()
    additionalItems: JSONSchemaProps | bool | None = None
    definitions: Mapping[str, JSONSchemaProps] = mapping()
    externalDocs: ExternalDocumentation | None = None
    example: Any = None
    preserve_unknown: bool | None = _extension("preserve-unknown-fields")
    embedded_resource: bool = _extension("embedded-resource", False)
    int_or_string: bool = _extension("int-or-string", False)
    list_map_keys: tuple[str, ...] = _extension("list-map-keys", ())
    list_type: str | None = _extension("list-type")
    map_type: str | None = _extension("map-type")
    validations: tuple[ValidationRule, ...] = _extension("validations", ())


class CustomResourceValidation(Part):
    """The schema of a version."""

    openAPIV3Schema: JSONSchemaProps | None = None


class CustomResourceSubresourceStatus(Part):
    """That the status is written on its own."""


class CustomResourceSubresourceScale(Part):
    """Where a number of replicas is found, for `kubectl scale` and autoscalers."""

    specReplicasPath: str = always("")
    statusReplicasPath: str = always("")
    labelSelectorPath: str | None = None


class CustomResourceSubresources(Part):
    """Which parts of an object are written on their own."""

    status: CustomResourceSubresourceStatus | None = None
    scale: CustomResourceSubresourceScale | None = None


class CustomResourceColumnDefinition(Part):
    """A column that `kubectl get` shows."""

    name: str = always("")
    type: str = always("")
    format: str = ""
    description: str = ""
    priority: int = 0
    jsonPath: str = always("")


class SelectableField(Part):
    """A field that a field selector may name."""

    jsonPath: str = always("")


class CustomResourceDefinitionVersion(Part):
    """One version of the kind."""

    name: str = always("")
    served: bool = always(False)
    storage: bool = always(False)
    deprecated: bool = False
    deprecationWarning: str | None = None
    schema: CustomResourceValidation | None = None
    subresources: CustomResourceSubresources | None = None
    additionalPrinterColumns: tuple[CustomResourceColumnDefinition, ...] = ()
    selectableFields: tuple[SelectableField, ...] = ()


class CustomResourceDefinitionNames(Part):
    """By what people call the kind."""

    plural: str = always("")
    singular: str = ""
    shortNames: tuple[str, ...] = ()
    kind: str = always("")
    listKind: str = ""
    categories: tuple[str, ...] = ()


class CustomResourceConversion(Part):
    """How objects get from one version to another: not at all, or by a webhook."""

    strategy: str = always("")
    webhook: Mapping[str, Any] | None = None


class CustomResourceDefinitionSpec(Part):
    """The kind: its group, its names, its versions."""

    group: str = always("")
    names: CustomResourceDefinitionNames = always(CustomResourceDefinitionNames())
    scope: str = always("")
    versions: tuple[CustomResourceDefinitionVersion, ...] = always(())
    conversion: CustomResourceConversion | None = None
    preserveUnknownFields: bool = False


class CustomResourceDefinitionCondition(Part):
    """One fact about a definition: its names are accepted, it is served, it goes."""

    type: str = always("")
    status: str = always("")
    lastTransitionTime: Time | None = None
    reason: str = ""
    message: str = ""
    observedGeneration: int = 0


class CustomResourceDefinitionStatus(Part):
    """What the API server made of a definition."""

    conditions: tuple[CustomResourceDefinitionCondition, ...] = ()
    acceptedNames: CustomResourceDefinitionNames = CustomResourceDefinitionNames()
    storedVersions: tuple[str, ...] = ()
    observedGeneration: int = 0


class CustomResourceDefinition(Object):
    """A kind of objects that the API server serves like its own."""

    apiVersion: str = always("apiextensions.k8s.io/v1")
    kind: str = always("CustomResourceDefinition")
    spec: CustomResourceDefinitionSpec = always(CustomResourceDefinitionSpec())
    status: CustomResourceDefinitionStatus = CustomResourceDefinitionStatus()
