"""Names of images, and what registries answer."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.node import image_reference
from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import ImagePullFailed, Process
from k8slab.node.runtime.images import registry as registry_module
from k8slab.node.runtime.images.registry import ImageRegistry, one_slip

PULL = 'failed to pull and unpack image "{0}": failed to resolve reference "{0}": '


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.29", "docker.io/library/nginx:1.29"),
        ("acme/web", "docker.io/acme/web:latest"),
        ("docker.io/acme/web:v1", "docker.io/acme/web:v1"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("ghcr.io/acme/web:v1", "ghcr.io/acme/web:v1"),
        ("localhost/web", "localhost/web:latest"),
        ("reg:5000/web", "reg:5000/web:latest"),
        ("registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause:3.10.1"),
        ("busybox:1.38@sha256:" + "a" * 64, "docker.io/library/busybox@sha256:" + "a" * 64),
    ],
)
def test_a_short_name_is_completed(name, full):
    assert str(parse_reference(name)) == full


@pytest.mark.parametrize("name", ["", "nginx:", ":v1", "a b", "-x", "web@sha256:zz", "a//b", "x:é"])
def test_an_ill_formed_name_is_refused(name):
    with pytest.raises(ValueError, match=r"^invalid reference format$"):
        parse_reference(name)


def test_capitals_are_refused_with_the_reason():
    with pytest.raises(ValueError, match="repository name must be lowercase"):
        parse_reference("Nginx")


@given(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,3}(:[a-z0-9]{1,5})?", fullmatch=True))
def test_a_complete_name_stays_as_it_is(name):
    full = str(parse_reference(name))
    assert str(parse_reference(full)) == full


def test_an_official_name_mistyped_is_denied():
    with pytest.raises(ImagePullFailed) as caught:
        ImageRegistry().resolve("ngnix")
    assert str(caught.value) == PULL.format("docker.io/library/ngnix:latest") + (
        "pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed"
    )


def test_a_missing_tag_is_not_found():
    registry = ImageRegistry()
    registry.missing("nginx:1.99")
    with pytest.raises(ImagePullFailed) as caught:
        registry.resolve("nginx:1.99")
    name = "docker.io/library/nginx:1.99"
    assert str(caught.value) == (
        f"rpc error: code = NotFound desc = {PULL.format(name)}{name}: not found"
    )
    registry.restore("nginx:1.99")
    assert registry.resolve("nginx:1.99").name == name


@pytest.mark.parametrize("name", ["ghost.example.com/web:v1", "registry.invalid/web:v1"])
def test_an_unreachable_registry_does_not_resolve(name):
    registry = ImageRegistry()
    registry.unreachable("ghost.example.com")
    host = name.partition("/")[0]
    with pytest.raises(ImagePullFailed) as caught:
        registry.resolve(name)
    assert str(caught.value) == PULL.format(name) + (
        f'failed to do request: Head "https://{host}/v2/web/manifests/v1": '
        f"dial tcp: lookup {host}: no such host"
    )


def test_a_learner_s_image_wins_over_everything():
    registry = ImageRegistry()

    @registry.image("ngnix:v1", size=7, ports=(80,))
    async def main(process: Process) -> int:
        return 0

    image = registry.resolve("docker.io/library/ngnix:v1")
    assert (image.size, image.ports, image.program) == (7, (80,), main)
    assert image.command_line((), ("--x",)) == ("/ngnix", "--x")


def test_any_well_formed_name_can_be_pulled_and_is_always_the_same():
    registry = ImageRegistry()
    image = registry.resolve("myapp")
    assert image.any_command
    assert image.id == ImageRegistry().resolve("myapp").id


@pytest.mark.parametrize(
    ("command", "args", "line"),
    [
        ((), (), ("/docker-entrypoint.sh", "nginx", "-g", "daemon off;")),
        ((), ("nginx-debug",), ("/docker-entrypoint.sh", "nginx-debug")),
        (("sh",), (), ("sh",)),
        (("sh",), ("-c", "x"), ("sh", "-c", "x")),
    ],
)
def test_command_replaces_the_entrypoint_and_args_the_cmd(command, args, line):
    assert ImageRegistry().resolve("nginx").command_line(command, args) == line


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("nginx", False), ("ngnix", True), ("nginxx", True), ("ngin", True), ("nginz", True),
     ("nginxab", False), ("apache", False), ("", False)],
)  # fmt: skip
def test_one_slip(typed, expected):
    assert one_slip(typed, "nginx") is expected


def test_the_examples_are_true():
    assert doctest.testmod(registry_module).failed == 0
    assert doctest.testmod(image_reference).failed == 0
