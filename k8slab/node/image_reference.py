"""The names of images: `nginx` is short for `docker.io/library/nginx:latest`.

`parse_reference(name)` gives the parts of a name, completed; an ill-formed name is a ValueError
in the words of the reference library, which the kubelet shows as InvalidImageName.

Rule of use: compare images by `str(reference)`, never by what the manifest says.

Upstream: github.com/distribution/reference
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

DEFAULT_HOST = "docker.io"
OFFICIAL = "library/"  # where docker.io keeps the images that have no owner
NAME_MAX = 255  # characters of a repository's name

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"{_HOST}(?:\.{_HOST})*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


class Reference(msgspec.Struct, frozen=True):
    """An image's name in full.

    >>> print(parse_reference("nginx"))
    docker.io/library/nginx:latest
    """

    host: str  # "docker.io"
    path: str  # "library/nginx"
    tag: str  # "latest"; empty if only a digest was given
    digest: str = ""  # "sha256:..."

    @property
    def repository(self) -> str:
        """The name without tag and digest."""
        return f"{self.host}/{self.path}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag and not self.digest else ""
        return f"{self.repository}{tag}{'@' + self.digest if self.digest else ''}"


@lru_cache(maxsize=4096)
def parse_reference(name: str) -> Reference:
    """Return the parts of an image's name. Raises ValueError in upstream's words.

    >>> parse_reference("ghcr.io/acme/web:v2").tag
    'v2'
    """
    found = _REFERENCE.fullmatch(name)
    if found is None:
        if _REFERENCE.fullmatch(name.lower()) and name.lower() != name:
            raise ValueError("invalid reference format: repository name must be lowercase")
        raise ValueError("invalid reference format")
    host, path = _split(found["name"])
    if len(path) > NAME_MAX:
        raise ValueError(f"repository name must not be more than {NAME_MAX} characters")
    digest = found["digest"] or ""
    return Reference(host, path, found["tag"] or ("" if digest else "latest"), digest)


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    # "acme/web" is an owner on docker.io; "acme.io/web" and "localhost/web" are hosts
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        host, path = first, rest
    else:
        host, path = DEFAULT_HOST, name
    if host == "index.docker.io":
        host = DEFAULT_HOST
    if host == DEFAULT_HOST and "/" not in path:
        path = OFFICIAL + path
    return host, path
