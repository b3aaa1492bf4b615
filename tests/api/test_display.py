"""Objects in a notebook: a cell that ends with one shows what kubectl shows."""

from __future__ import annotations

from IPython.lib.pretty import pretty

from k8slab.api import ObjectMeta, Pod
from k8slab.api.meta import ManagedFieldsEntry

POD = Pod(
    apiVersion="v1",
    kind="Pod",
    metadata=ObjectMeta(
        name="web", namespace="default", managedFields=(ManagedFieldsEntry(manager="me"),)
    ),
)


def test_an_object_alone_is_shown_as_kubectl_shows_it() -> None:
    lines = pretty(POD).splitlines()
    assert lines[:5] == [
        "apiVersion: v1",
        "kind: Pod",
        "metadata:",
        "  name: web",
        "  namespace: default",
    ]
    assert "managedFields" not in pretty(POD)


def test_an_object_among_others_is_shown_by_its_name() -> None:
    assert pretty([POD, POD]) == "[<Pod default/web>, <Pod default/web>]"
    assert pretty({"first": POD}) == "{'first': <Pod default/web>}"


def test_what_an_object_leaves_open_is_not_printed() -> None:
    assert repr(POD.metadata).startswith("ObjectMeta(name='web', namespace='default', managed")
