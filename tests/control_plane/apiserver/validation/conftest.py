from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.apiserver import defaults
from k8slab.control_plane.apiserver.validation import validate


@pytest.fixture
def wrong() -> Callable[[dict[str, Any]], list[str]]:
    """What is wrong with a manifest, once it is defaulted."""

    def errors_of(manifest: dict[str, Any], before: dict[str, Any] | None = None) -> list[str]:
        new = defaults.apply(load(manifest))
        old = None if before is None else defaults.apply(load(before))
        return list(dict.fromkeys(str(error) for error in validate(new, old)))

    return errors_of


@pytest.fixture
def pod_with() -> Callable[..., dict[str, Any]]:
    def make(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
        first = {"name": "web", "image": "nginx", **(container or {})}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"containers": [first], **spec},
        }

    return make


@pytest.fixture
def workload() -> Callable[..., dict[str, Any]]:
    def make(kind: str, /, **spec: Any) -> dict[str, Any]:
        labels = {"app": "web"}
        template = {
            "metadata": {"labels": dict(labels)},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        }
        return {
            "apiVersion": "batch/v1" if kind == "Job" else "apps/v1",
            "kind": kind,
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
        }

    return make


@pytest.fixture
def service() -> Callable[..., dict[str, Any]]:
    def make(**spec: Any) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec},
        }

    return make
