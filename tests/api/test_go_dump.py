from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.go_dump import dump
from k8slab.control_plane.apiserver import defaults
from k8slab.control_plane.controllers.controller_utils import compute_hash

PLAIN = {"name": "c", "image": "nginx:1.25"}
PORTS = [{"containerPort": 80, "name": "http"}]
RESOURCES = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}


def template(container: dict[str, Any], **spec: Any) -> Any:
    labels = {"app": "web"}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}
    fields = {"selector": {"matchLabels": labels}, "template": pods}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    deployment: Any = defaults.apply(load({**manifest, "spec": fields}))
    return deployment.spec.template


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (PLAIN, "79c8bdf6d5"),
        ({**PLAIN, "image": "nginx:1.26"}, "7988b68c98"),
        ({**PLAIN, "name": "web", "ports": PORTS, "resources": RESOURCES}, "5c65c8cbfd"),
    ],
)
def test_a_template_has_the_hash_that_a_real_cluster_gives_it(
    container: dict[str, Any], expected: str
) -> None:
    assert compute_hash(template(container), None) == expected


def test_every_field_of_a_template_counts() -> None:
    tolerations = [{"key": "a", "operator": "Exists"}]
    volumes = [{"name": "v", "emptyDir": {}}]
    probe = {"httpGet": {"port": "http"}, "periodSeconds": 5}
    variants = [
        template(PLAIN),
        template(PLAIN, tolerations=tolerations),
        template(PLAIN, volumes=volumes),
        template({**PLAIN, "readinessProbe": probe}),
        template({**PLAIN, "livenessProbe": probe}),
        template({**PLAIN, "env": [{"name": "A", "value": "1"}]}),
        template(PLAIN, evictionResponders=[{"name": "example.com/r", "priority": 1}]),
    ]
    assert len({compute_hash(variant, None) for variant in variants}) == len(variants)


@pytest.mark.parametrize(
    ("text", "number", "scale", "kept", "form"),
    [
        ("100m", 100, -3, "100m", "DecimalSI"),
        ("2", 2, 0, "2", "DecimalSI"),
        ("0", 0, 0, "0", "DecimalSI"),
        ("1500", 1500, 0, "1500", "DecimalSI"),
        ("64Mi", 64 << 20, 0, "", "BinarySI"),
        ("100Mi", 100 << 20, 0, "100Mi", "BinarySI"),
        ("5G", 5, 9, "5G", "DecimalSI"),
        ("1e3", 1, 3, "1e3", "DecimalExponent"),
    ],
)
def test_quantities_are_written_as_go_keeps_them(
    text: str, number: int, scale: int, kept: str, form: str
) -> None:
    container = template({**PLAIN, "resources": {"limits": {"x.io/y": text}}}).spec.containers[0]
    found = dump(container.resources, "v1.ResourceRequirements")
    assert (
        f"{{i:(resource.int64Amount){{value:(int64){number} scale:(resource.Scale){scale}}} "
        f"d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){kept} "
        f"Format:(resource.Format){form}}}"
    ) in found
