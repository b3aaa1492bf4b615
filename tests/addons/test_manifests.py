from __future__ import annotations

import pytest

from k8slab.addons import manifests
from k8slab.api import load_all

VALUES = {
    "ADVERTISE_IP": "172.18.0.2",
    "ADVERTISE_HOST": "172.18.0.2",
    "NODE_NAME": "control-plane",
    "CONTROL_PLANE_ENDPOINT": "control-plane:6443",
    "POD_SUBNET": "10.244.0.0/16",
    "PROXY_MODE": "iptables",
    "SERVICE_SUBNET": "10.96.0.0/12",
    "AUTHORIZATION_MODE": "Node,RBAC",
}


@pytest.mark.parametrize(
    "name", [*manifests.ADDONS, *(f"static/{name}" for name in manifests.STATIC)]
)
def test_every_manifest_is_valid_once_its_placeholders_are_filled(name: str) -> None:
    text = manifests.text(name, **VALUES)
    assert "__" not in text
    assert load_all(text)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="ADVERTISE_HOST"):
        manifests.text("static/kube-apiserver")


@pytest.mark.parametrize("name", manifests.STATIC)
def test_the_control_plane_shares_the_network_of_its_node(name: str) -> None:
    (pod,) = load_all(manifests.text(f"static/{name}", **VALUES))
    assert pod.spec.hostNetwork
    assert pod.spec.priorityClassName == "system-node-critical"
    assert pod.spec.containers[0].command[0] == name
