"""Which rule a request falls under: the nouns that Ingresses and HTTPRoutes are turned into.

A `Rule` says for which requests it is (port, host, path, method, headers, query) and what becomes
of them: backends, and changes on the way. A `Table` finds the rule of a request: first the host,
the most specific one, then the first rule that matches within that host. A host that is served but
has no matching path is a 404; nobody looks at less specific hosts.

Rule of use: rules come sorted by precedence; `ingress_rules` and `gateway_rules` do that.

Upstream: gateway-api apis/v1/httproute_types.go, ingress-nginx internal/ingress/controller
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

EXACT, PREFIX, STRING, REGEX = "Exact", "Prefix", "String", "RegularExpression"


class Backend(msgspec.Struct, frozen=True):
    """A Service's port that gets a share of the requests."""

    namespace: str
    service: str
    port: int | str  # of the Service, by number or by name
    weight: int = 1
    error: str = ""  # why nothing may be sent there; the requests that fall to it get a 500

    def __str__(self) -> str:
        return f"{self.namespace}-{self.service}-{self.port}"


class Pair(msgspec.Struct, frozen=True):
    """A header or a query parameter: its name, and the value it must have, or gets."""

    name: str
    value: str
    regex: bool = False

    def is_in(self, values: Mapping[str, str]) -> bool:
        """Say whether the values have it; names are compared as they are."""
        found = values.get(self.name)
        if found is None:
            return False
        return re.fullmatch(self.value, found) is not None if self.regex else found == self.value


class HeaderChanges(msgspec.Struct, frozen=True):
    """Headers to set, to add to, and to take away."""

    set: tuple[Pair, ...] = ()
    add: tuple[Pair, ...] = ()
    remove: tuple[str, ...] = ()


class PathChange(msgspec.Struct, frozen=True):
    """A new path: the whole one, or only what the rule's prefix matched."""

    replacement: str
    whole: bool


class Redirect(msgspec.Struct, frozen=True):
    """Where a client is sent instead; empty fields stay as the request has them."""

    status: int = 302
    scheme: str = ""
    hostname: str = ""
    port: int = 0
    path: PathChange | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, and what becomes of them."""

    port: int = 80  # on which the request comes in
    host: str = ""  # "shop.example", "*.example"; "" takes every host
    path: str = "/"
    path_type: str = PREFIX
    method: str = ""
    headers: tuple[Pair, ...] = ()  # names in lower case
    query: tuple[Pair, ...] = ()
    backends: tuple[Backend, ...] = ()
    redirect: Redirect | None = None
    path_change: PathChange | None = None
    path_regex: str = ""  # what the pattern of the path is rewritten to: "/$2"
    hostname: str = ""  # for the backend, instead of the one that was asked for
    request_headers: tuple[HeaderChanges, ...] = ()
    response_headers: tuple[HeaderChanges, ...] = ()
    mirrors: tuple[Backend, ...] = ()
    timeout: float | None = None  # s, for the whole request
    source: str = ""  # the object it comes from: "Ingress default/shop"

    def matches(self, asked: Asked) -> bool:
        """Say whether the request is meant; its host and port are known to fit."""
        return (
            path_matches(self.path_type, self.path, asked.path)
            and self.method in ("", asked.method)
            and all(pair.is_in(asked.headers) for pair in self.headers)
            and all(pair.is_in(asked.query) for pair in self.query)
        )


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule looks at in a request."""

    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = {}  # names in lower case
    query: Mapping[str, str] = {}


class Table:
    """All rules, by the port and host of the requests that they are for."""

    def __init__(self, rules: Iterable[Rule] = (), *, deep_wildcards: bool = False) -> None:
        """Take rules in order of precedence.

        With `deep_wildcards` *.example stands for a.b.example too (Gateway API); else for one
        label (Ingress).
        """
        self._deep = deep_wildcards
        self._rules: dict[tuple[int, str], list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault((rule.port, rule.host), []).append(rule)

    @property
    def ports(self) -> list[int]:
        """The ports that have rules."""
        return sorted(dict.fromkeys(port for port, _ in self._rules))

    def find(self, port: int, host: str, asked: Asked) -> Rule | None:
        """Return the rule of a request, None if there is none."""
        for candidate in self._candidates(host.lower()):
            rules = self._rules.get((port, candidate))
            if rules is not None:
                return next((rule for rule in rules if rule.matches(asked)), None)
        return None

    def _candidates(self, host: str) -> Iterable[str]:
        """Yield the hosts of rules that may be meant, the most specific one first."""
        yield host
        rest = host
        while "." in rest:
            rest = rest.partition(".")[2]
            yield f"*.{rest}"
            if not self._deep:
                break
        yield ""


def path_matches(path_type: str, pattern: str, path: str) -> bool:
    """Say whether a path is meant by a pattern of a type.

    >>> path_matches("Prefix", "/aaa/bb", "/aaa/bbb"), path_matches("Prefix", "/aaa/", "/aaa")
    (False, True)
    >>> path_matches("String", "/aaa/bb", "/aaa/bbb")
    True
    """
    if path_type == EXACT:
        return path == pattern
    if path_type == REGEX:
        try:
            return re.match(pattern, path) is not None
        except re.error:  # a pattern that cannot be read matches nothing
            return False
    if path_type == STRING:
        return path.startswith(pattern)
    prefix = pattern.rstrip("/")
    return path == prefix or path.startswith(f"{prefix}/")
