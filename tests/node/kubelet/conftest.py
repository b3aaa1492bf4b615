"""Fixtures: a bare machine, and a ready node."""

from __future__ import annotations

import pytest

from k8slab.api.core import Namespace, ServiceAccount
from k8slab.api.meta import ObjectMeta
from tests.node.kubelet.lab import Lab


@pytest.fixture
def bare() -> Lab:
    """A machine without kubelet and without API server."""
    return Lab()


@pytest.fixture
def lab(bare: Lab) -> Lab:
    """A ready node with the default ServiceAccount in place."""
    bare.start_api()
    bare.connect_pods()
    for name in ("default",):
        bare.create(ServiceAccount(metadata=ObjectMeta(name=name, namespace="default")))
    assert bare.do(bare.client.get(Namespace, "default")).status.phase == "Active"
    bare.start_kubelet()
    bare.run(15.0)
    return bare
