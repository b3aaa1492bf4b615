"""Who may pull from a private registry: the user names and passwords in a Pod's pull secrets.

    .dockerconfigjson  {"auths": {"registry.example.com": {"auth": base64("ann:secret")}}}
    .dockercfg         the same without "auths"

An entry is for a registry, or for a part of it (registry.example.com/team); the longest one that
fits is tried first.

Rule of use: pure; a secret that cannot be read counts as none.

Upstream: pkg/credentialprovider/{keyring,config}.go, pkg/credentialprovider/secrets
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from k8slab.api.core import Secret
from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import ImageAuth
from k8slab.node.kubelet.env import decoded

DOCKER_HUB = "index.docker.io"


def look_up(image: str, secrets: Iterable[Secret]) -> list[ImageAuth]:
    """Return what to show the image's registry, the most special first."""
    reference = parse_reference(image)
    found = [
        (len(where), auth)
        for secret in secrets
        for where, auth in entries(secret)
        if _covers(where, reference.repository)
    ]
    return [auth for _, auth in sorted(found, key=lambda pair: -pair[0])]


def entries(secret: Secret) -> Iterator[tuple[str, ImageAuth]]:
    """Yield a secret's entries: for which part of which registry, and what to show there."""
    try:
        if secret.type == "kubernetes.io/dockerconfigjson":
            config = json.loads(decoded(secret.data[".dockerconfigjson"]))["auths"]
        elif secret.type == "kubernetes.io/dockercfg":
            config = json.loads(decoded(secret.data[".dockercfg"]))
        else:
            return
        for where, entry in config.items():
            yield _normal(where), _auth(entry)
    except (KeyError, ValueError, AttributeError):
        return


def _auth(entry: Mapping[str, Any]) -> ImageAuth:
    if "auth" in entry:
        username, _, password = decoded(entry["auth"]).partition(":")
        return ImageAuth(username, password)
    return ImageAuth(entry.get("username", ""), entry.get("password", ""))


def _normal(where: str) -> str:
    """Return host and path of an entry: https://index.docker.io/v1/ is docker.io."""
    _, _, rest = where.rpartition("://")
    rest = rest.rstrip("/")
    for version in ("/v1", "/v2"):
        rest = rest.removesuffix(version)
    return "docker.io" + rest[len(DOCKER_HUB) :] if rest.startswith(DOCKER_HUB) else rest


def _covers(where: str, repository: str) -> bool:
    host, _, path = where.partition("/")
    image_host, _, image_path = repository.partition("/")
    same_depth = host.count(".") == image_host.count(".")
    if not (same_depth and fnmatchcase(image_host, host)):
        return False
    return not path or image_path == path or image_path.startswith(f"{path}/")
