"""Pulling images: private registries, and how many at once."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.core import Secret
from k8slab.api.meta import ObjectMeta
from k8slab.node.interfaces import ImageAuth
from k8slab.node.kubelet import KubeletConfiguration
from k8slab.node.kubelet.credentials import look_up
from tests.node.kubelet.lab import NODE, Lab, container

IMAGE = "registry.example.com/team/web:v1"
ANN = ImageAuth("ann", "secret")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pull_secret(**auths: str) -> Secret:
    """Return a pull secret; `auths` are passwords of the user ann by registry."""
    entries = {where: {"auth": encoded(f"ann:{password}")} for where, password in auths.items()}
    return Secret(
        metadata=ObjectMeta(name="regcred", namespace="default"),
        type="kubernetes.io/dockerconfigjson",
        data={".dockerconfigjson": encoded(json.dumps({"auths": entries}))},
    )


@pytest.mark.parametrize(
    ("where", "image", "fits"),
    [
        ("registry.example.com", IMAGE, True),
        ("https://registry.example.com/v2/", IMAGE, True),
        ("registry.example.com/team", IMAGE, True),
        ("registry.example.com/tea", IMAGE, False),
        ("*.example.com", IMAGE, True),
        ("*.com", IMAGE, False),
        ("https://index.docker.io/v1/", "nginx", True),
        ("registry.example.com", "nginx", False),
    ],
)
def test_an_entry_is_for_a_registry_or_a_part_of_it(where: str, image: str, fits: bool) -> None:
    assert look_up(image, [pull_secret(**{where: "secret"})]) == ([ANN] if fits else [])


def test_the_most_special_entry_comes_first() -> None:
    secret = pull_secret(**{"registry.example.com": "a", "registry.example.com/team": "b"})
    assert [auth.password for auth in look_up(IMAGE, [secret])] == ["b", "a"]


def test_a_secret_of_another_kind_or_form_counts_as_none() -> None:
    opaque = Secret(metadata=ObjectMeta(name="s"), data={"a": encoded("b")})
    broken = Secret(
        metadata=ObjectMeta(name="s"),
        type="kubernetes.io/dockerconfigjson",
        data={".dockerconfigjson": encoded("{")},
    )
    assert look_up(IMAGE, [opaque, broken]) == []


# -- on a node


def start(lab: Lab, name: str = "web", *secrets: str, **fields: Any) -> None:
    spec = {
        "nodeName": NODE,
        "automountServiceAccountToken": False,
        "imagePullSecrets": [{"name": secret} for secret in secrets],
        "containers": [container(image=IMAGE, **fields)],
    }
    meta = {"name": name, "namespace": "default"}
    lab.create(load({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}))
    lab.run(10)


@pytest.fixture
def private(lab: Lab) -> Lab:
    lab.registry.private("registry.example.com", "ann", "secret")
    return lab


def waiting(lab: Lab, name: str = "web") -> str:
    return str(lab.state(name=name).get("waiting", {}).get("reason", ""))


def test_without_credentials_a_private_image_is_not_to_be_had(private: Lab) -> None:
    start(private)
    assert waiting(private) in ("ErrImagePull", "ImagePullBackOff")
    failed = next(message for reason, message in private.events() if reason == "Failed")
    assert failed.endswith("authorization failed: no basic auth credentials")


def test_with_a_pull_secret_it_is(private: Lab) -> None:
    private.create(pull_secret(**{"registry.example.com": "secret"}))
    start(private, "web", "regcred")
    assert private.pod().status.phase == "Running"


def test_a_wrong_password_is_unauthorized(private: Lab) -> None:
    private.create(pull_secret(**{"registry.example.com": "guess"}))
    start(private, "web", "regcred")
    failed = next(message for reason, message in private.events() if reason == "Failed")
    url = "https://registry.example.com/v2/team/web/manifests/v1"
    assert failed.endswith(f"unexpected status from HEAD request to {url}: 401 Unauthorized")


def test_a_pull_secret_that_is_not_there_is_told(private: Lab) -> None:
    start(private, "web", "nowhere")
    message = (
        "Unable to retrieve some image pull secrets (nowhere); "
        "attempting to pull the image may not succeed."
    )
    assert ("FailedToRetrieveImagePullSecret", message) in private.events()


def test_an_image_that_is_here_is_not_for_those_without_credentials(private: Lab) -> None:
    private.create(pull_secret(**{"registry.example.com": "secret"}))
    start(private, "web", "regcred")
    start(private, "thief")
    assert waiting(private, "thief") in ("ErrImagePull", "ImagePullBackOff")
    start(private, "friend", "regcred")
    assert private.pod("friend").status.phase == "Running"
    assert any("already present on machine" in text for _, text in private.events("friend"))


# -- turns


def two_pulls(lab: Lab) -> list[str]:
    """Start two Pods with images of 50 MB at once; return what is told of the pulls."""
    for name in ("one", "two"):
        lab.registry.image(f"example.com/{name}:v1", size=50_000_000)(lab.web)
        image = container(image=f"example.com/{name}:v1")
        spec = {"nodeName": NODE, "automountServiceAccountToken": False, "containers": [image]}
        meta = {"name": name, "namespace": "default"}
        lab.create(load({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}))
    lab.run(10)
    pulled = [m for n in ("one", "two") for reason, m in lab.events(n) if reason == "Pulled"]
    return [message.partition(" in ")[2] for message in pulled]


def test_one_pull_after_the_other(lab: Lab) -> None:
    first, second = two_pulls(lab)
    assert first.startswith("1.4s (1.4s including waiting)")
    assert second.startswith("1.4s (2.79")


def test_pulls_may_go_on_at_the_same_time(bare: Lab) -> None:
    bare.start_node(config=KubeletConfiguration(serialize_image_pulls=False))
    assert all(text.startswith("1.4s (1.4s including waiting)") for text in two_pulls(bare))
