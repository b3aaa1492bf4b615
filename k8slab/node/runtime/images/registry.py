"""The registries of the world, as far as this cluster can reach them.

`ImageRegistry()` holds the images that the lab ships; `@registry.image(name, ...)` adds a
learner's own; `missing(image)` and `unreachable(host)` are faults. An image that nobody knows but
whose name is well-formed exists too: it runs the generic server (generic.py).

Rule of use: registries are asked only by `ImageStore.pull_image`; a node runs what it has pulled.

Upstream: opencontainers/distribution-spec, containerd core/remotes/docker
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from k8slab.node.image_reference import DEFAULT_HOST, OFFICIAL, Reference, parse_reference
from k8slab.node.interfaces import ImageAuth, ImagePullFailed, Program
from k8slab.node.runtime.images.image import Image
from k8slab.node.runtime.images.shipped import SHIPPED

GENERIC = "k8slab.node.runtime.images.generic:main"
GENERIC_SIZE = (20_000_000, 120_000_000)  # bytes, least and most
NEVER_RESOLVES = ".invalid"  # RFC 2606 keeps this ending free for names that do not exist
NO_CREDENTIALS = (
    "pull access denied, repository does not exist or may require authorization: "
    "authorization failed: no basic auth credentials"
)
SHORTEST_TYPO = 5  # characters: below that, names one letter apart are no evidence of a typo


class ImageRegistry:
    """All images that can be pulled, and what hinders pulling."""

    def __init__(self, images: Mapping[str, Mapping[str, Any]] = SHIPPED) -> None:
        self._shipped = images  # repository -> fields of Image; any tag
        self._own: dict[str, Image] = {}  # full name -> image
        self._known: dict[str, Image] = {}  # full name -> image, as asked for before
        self._missing: dict[str, None] = {}
        self._unreachable: dict[str, None] = {}
        self._private: dict[str, ImageAuth] = {}  # registry, or a part of it -> who may pull

    # -- filling it

    def image(self, name: str, **fields: Any) -> Callable[[Program], Program]:
        """Make the decorated program an image; `fields` are those of `Image`.

        Raises ValueError if the name is ill-formed.
        """

        def register(program: Program) -> Program:
            self.add(Image(name=str(parse_reference(name)), program=program, **fields))
            return program

        return register

    def add(self, image: Image) -> None:
        """Hold the image under its name, in the place of one that had it before."""
        full = str(parse_reference(image.name))
        self._own[full] = image
        self._missing.pop(full, None)
        self._known.pop(full, None)

    def adopt(self, other: ImageRegistry) -> None:
        """Hold what another registry was given, but for the names that are taken here."""
        for name, image in other._own.items():
            self._own.setdefault(name, image)

    def private(self, where: str, username: str, password: str) -> None:
        """Let a registry, or a part of it ("example.com/team"), be open to this user alone."""
        self._private[where] = ImageAuth(username, password)

    # -- faults

    def missing(self, image: str) -> None:
        """Let this tag not exist: pulling it fails from now on."""
        self._missing[str(parse_reference(image))] = None

    def unreachable(self, host: str) -> None:
        """Let the registry's name not resolve."""
        self._unreachable[host] = None

    def restore(self, name: str) -> None:
        """End the fault of an image or a host."""
        self._unreachable.pop(name, None)
        self._missing.pop(str(parse_reference(name)), None)

    # -- asking

    def resolve(self, name: str, auth: ImageAuth | None = None) -> Image:
        """Return the image; raises ImagePullFailed in the words of containerd."""
        reference = parse_reference(name)
        if reference.host in self._unreachable or reference.host.endswith(NEVER_RESOLVES):
            raise ImagePullFailed(_no_such_host(reference))
        self._check(reference, auth)
        full = str(reference)
        if full in self._missing:
            tags = self.repositories()
            raise ImagePullFailed(
                _not_found(reference) if reference.repository in tags else _denied(reference)
            )
        return self._own.get(full) or self._known.get(full) or self._look_up(reference)

    def _check(self, reference: Reference, auth: ImageAuth | None) -> None:
        """Raise ImagePullFailed if the repository is private and this is not its user."""
        repository = reference.repository
        for where, owner in self._private.items():
            if repository != where and not repository.startswith(f"{where}/"):
                continue
            if auth is None:
                raise ImagePullFailed(_failed(reference, NO_CREDENTIALS))
            if auth != owner:
                url = _manifest_url(reference)
                raise ImagePullFailed(
                    _failed(
                        reference, f"unexpected status from HEAD request to {url}: 401 Unauthorized"
                    )
                )

    def repositories(self) -> dict[str, None]:
        """Return the repositories that hold an image which the lab or the learner made."""
        own = (parse_reference(name).repository for name in self._own)
        return dict.fromkeys([*self._shipped, *own])

    def _look_up(self, reference: Reference) -> Image:
        full = str(reference)
        fields = self._shipped.get(reference.repository)
        if fields is None:
            if self._is_typo(reference):
                raise ImagePullFailed(_denied(reference))
            fields = {"program": GENERIC, "size": _some_size(full), "shell": True}
            fields = {**fields, "any_command": True}
        image = self._known[full] = Image(name=full, **fields)
        return image

    def _is_typo(self, reference: Reference) -> bool:
        """Say whether the name is one slip away from an official image.

        docker.io/library is a closed list that its curators keep, so `ngnix` is not there.
        """
        prefix = f"{DEFAULT_HOST}/{OFFICIAL}"
        if not reference.repository.startswith(prefix) or str(reference) in self._own:
            return False
        name = reference.path.removeprefix(OFFICIAL)
        official = (r.removeprefix(prefix) for r in self._shipped if r.startswith(prefix))
        return len(name) >= SHORTEST_TYPO and any(one_slip(name, known) for known in official)


def one_slip(typed: str, meant: str) -> bool:
    """Say whether one letter was swapped with its neighbour, left out, doubled or mistyped.

    >>> one_slip("ngnix", "nginx"), one_slip("web", "nginx")
    (True, False)
    """
    if typed == meant or abs(len(typed) - len(meant)) > 1:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b),
        min(len(typed), len(meant)),
    )
    a, b = typed[start:], meant[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    return a[1:] == b if len(a) > len(b) else a == b[1:]


def _some_size(name: str) -> int:
    least, most = GENERIC_SIZE
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return least + number % (most - least)


def _failed(reference: Reference, why: str) -> str:
    return (
        f'failed to pull and unpack image "{reference}": '
        f'failed to resolve reference "{reference}": {why}'
    )


def _denied(reference: Reference) -> str:
    return _failed(
        reference,
        "pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed",
    )


def _not_found(reference: Reference) -> str:
    # the kubelet keeps the gRPC code of an answer that has one
    return "rpc error: code = NotFound desc = " + _failed(reference, f"{reference}: not found")


def _manifest_url(reference: Reference) -> str:
    which = reference.digest or reference.tag
    return f"https://{reference.host}/v2/{reference.path}/manifests/{which}"


def _no_such_host(reference: Reference) -> str:
    url = _manifest_url(reference)
    host = reference.host.partition(":")[0]
    return _failed(
        reference, f'failed to do request: Head "{url}": dial tcp: lookup {host}: no such host'
    )
