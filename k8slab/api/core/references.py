"""How one object names another.

A reference is only a name: nothing checks that the thing exists until somebody looks.
Interface: the reference Structs; an empty namespace means that of the object that refers.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from k8slab.api.struct import Part, always


class LocalObjectReference(Part):
    """The name of an object in the same namespace."""

    name: str = ""


class ObjectReference(Part):
    """The full address of an object, or of a part of it."""

    name: str = ""
    apiVersion: str = ""
    fieldPath: str = ""
    kind: str = ""
    namespace: str = ""
    resourceVersion: str = ""
    uid: str = ""


class SecretReference(Part):
    """A Secret by name and namespace."""

    name: str = ""
    namespace: str = ""


class TypedLocalObjectReference(Part):
    """An object of any kind in the same namespace."""

    name: str = always("")
    kind: str = always("")
    apiGroup: str | None = None


class TypedObjectReference(Part):
    """An object of any kind, in another namespace if need be."""

    name: str = always("")
    kind: str = always("")
    apiGroup: str | None = None
    namespace: str | None = None
