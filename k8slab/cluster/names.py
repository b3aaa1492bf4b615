"""How a learner names an object: "pod/web", "deployment/web", "kube-system/pod/coredns-x".

Rule of use: `parse_name` reads the words, `find` looks the object up in a view; a name that is
only the beginning of exactly one object's name finds that object.

Upstream: staging/src/k8s.io/cli-runtime/pkg/resource/builder.go (TYPE/NAME)
"""

from __future__ import annotations

from typing import Any

from k8slab.api.scheme import Resource
from k8slab.cluster.view import View


def parse_name(view: View, words: str, namespace: str = "default") -> tuple[Resource, str, str]:
    """Return (resource, namespace, name); raises ValueError with an example."""
    parts = words.split("/")
    if len(parts) == 3:
        namespace = parts.pop(0)
    resource = view.resolve(parts[0]) if len(parts) == 2 else None
    if resource is None:
        raise ValueError(
            f'expected KIND/NAME such as "pod/web" or NAMESPACE/KIND/NAME, got {words!r}'
        )
    return resource, namespace if resource.namespaced else "", parts[1]


def named(view: View, words: str, namespace: str = "default") -> Any:
    """Return the object that the words name; LookupError says which there are instead."""
    resource, namespace, name = parse_name(view, words, namespace)
    found = find(view, resource, namespace, name)
    if found is not None:
        return found
    there = [obj.metadata.name for obj in view.list(resource.type, namespace)]
    begun = [other for other in there if other.startswith(name)]
    where = f" in namespace {namespace}" if namespace else ""
    if begun:
        raise LookupError(f'"{name}" could be any of {", ".join(begun[:5])}: name one of them')
    known = f"; there are {', '.join(there[:5])}" if there else ""
    raise LookupError(f'{resource.plural} "{name}" not found{where}{known}')


def find(view: View, resource: Resource, namespace: str, name: str) -> Any | None:
    """Return the object of that name, or the only one whose name begins with it."""
    exact = view.get(resource.type, name, namespace)
    if exact is not None:
        return exact
    begun = [
        obj for obj in view.list(resource.type, namespace) if obj.metadata.name.startswith(name)
    ]
    return begun[0] if len(begun) == 1 else None
