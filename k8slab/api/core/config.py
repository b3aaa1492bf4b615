"""Configuration and identity that Pods are given.

Interface: ``ConfigMap``, ``Secret``, ``ServiceAccount``. Values of ``Secret.data`` and
``ConfigMap.binaryData`` are base64 text, as on the wire.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.references import LocalObjectReference, ObjectReference
from k8slab.api.meta import Object
from k8slab.api.struct import always, mapping


class ConfigMap(Object):
    """Settings by key."""

    apiVersion: str = always("v1")
    kind: str = always("ConfigMap")
    binaryData: Mapping[str, str] = mapping()
    data: Mapping[str, str] = mapping()
    immutable: bool | None = None


class Secret(Object):
    """Confidential settings by key, as base64 text."""

    apiVersion: str = always("v1")
    kind: str = always("Secret")
    data: Mapping[str, str] = mapping()
    immutable: bool | None = None
    stringData: Mapping[str, str] = mapping()
    type: str = ""


class ServiceAccount(Object):
    """As whom the processes of a Pod speak to the API server."""

    apiVersion: str = always("v1")
    kind: str = always("ServiceAccount")
    automountServiceAccountToken: bool | None = None
    imagePullSecrets: tuple[LocalObjectReference, ...] = ()
    secrets: tuple[ObjectReference, ...] = ()
