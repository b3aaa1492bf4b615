"""Fixtures: a bare machine, and a ready node."""

from __future__ import annotations

import pytest

from tests.node.kubelet.lab import Lab


@pytest.fixture
def bare() -> Lab:
    """A machine without kubelet and without API server."""
    return Lab()


@pytest.fixture
def lab(bare: Lab) -> Lab:
    """A ready node with the default ServiceAccount in place."""
    bare.start_node()
    return bare
