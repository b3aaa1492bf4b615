"""Taking a URL apart, for the programs that fetch one.

Rule of use: only http is simulated; https is told apart so that a program can refuse it.

Upstream: RFC 3986
"""

from __future__ import annotations

import re

from k8slab.linux.addresses import joined

_URL = re.compile(
    r"(?:([a-zA-Z][a-zA-Z0-9+.-]*)://)?(\[[0-9a-fA-F:.]+\]|[^/:?#]+)(?::([0-9]+))?([/?][^#]*)?(?:#.*)?"
)
PORTS = {"http": 80, "https": 443}


class BadUrl(ValueError):  # noqa: N818 (what curl calls it, too)
    """The text is no URL that can be fetched."""


class Url:
    """A URL's parts; `ip` is filled in by who resolves the host."""

    def __init__(self, scheme: str, host: str, port: int, target: str) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
        self.ip = ""

    @property
    def authority(self) -> str:
        """The host, with the port if it is not the scheme's own."""
        if self.port == PORTS.get(self.scheme):
            return f"[{self.host}]" if ":" in self.host else self.host
        return joined(self.host, self.port)


def parse_url(text: str) -> Url:
    """Return the parts of a URL; without a scheme it is http. Raises BadUrl.

    >>> (url := parse_url("web.default:8080/a?b=1")).authority, url.target
    ('web.default:8080', '/a?b=1')
    """
    found = _URL.fullmatch(text)
    if found is None:
        raise BadUrl(f"bad address '{text}'")
    scheme = (found[1] or "http").lower()
    if scheme not in PORTS:
        raise BadUrl(f"not an http or ftp url: {text}")
    target = found[4] or "/"
    return Url(
        scheme,
        found[2].strip("[]"),
        int(found[3] or PORTS[scheme]),
        target if target[0] == "/" else f"/{target}",
    )
