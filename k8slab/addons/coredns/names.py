"""Names of the cluster's DNS taken apart, and addresses that are written as names.

    >>> parse_request("_http._tcp.web.default.svc.cluster.local.", "cluster.local.").port
    'http'
    >>> address_of_dashes("10-244-1-5")
    '10.244.1.5'
    >>> address_of_reverse("10.0.96.10.in-addr.arpa.")
    '10.96.0.10'

Rule of use: text in, text out; "" stands for "none".

Upstream: coredns plugin/kubernetes/parse.go, plugin/pkg/dnsutil/reverse.go
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

import msgspec


class ParsedName(msgspec.Struct, frozen=True, gc=False):
    """The parts of a name under the cluster's domain; parts that are not there are empty."""

    kind: str = ""  # "svc" or "pod"
    namespace: str = ""
    name: str = ""  # of the Service, or the Pod's address in dashes
    endpoint: str = ""
    protocol: str = ""
    port: str = ""

    def wants_port(self, name: str, protocol: str) -> bool:
        """Say whether a port of that name and protocol is meant; without a port, all are."""
        if not self.port:
            return True
        return self.port == name.lower() and self.protocol == (protocol or "TCP").lower()


def parse_request(name: str, zone: str) -> ParsedName | None:
    """Take the name apart; None if nothing in the zone can have it."""
    labels = name.removesuffix(zone).rstrip(".").split(".") if name != zone else []
    if not labels:
        return ParsedName()
    labels.reverse()
    kind, namespace, service, *rest = (*labels, "", "")
    rest = [label for label in rest if label]
    if kind not in ("svc", "pod") or len(rest) > 2:
        return None
    parsed = ParsedName(kind=kind, namespace=namespace, name=service)
    if len(rest) == 1:  # one label more is an endpoint
        return msgspec.structs.replace(parsed, endpoint=rest[0])
    if len(rest) == 2:  # two labels are a port: _http._tcp
        protocol, port = (label.removeprefix("_") for label in rest)
        return msgspec.structs.replace(parsed, protocol=protocol, port=port)
    return parsed


def absolute(text: str) -> str:
    """Return a name or zone as names are here: in lower case, with the dot at the end."""
    return text.lower().rstrip(".") + "."


def is_in(name: str, zone: str) -> bool:
    """Say whether the name is in the zone; both are absolute."""
    return zone == "." or name == zone or name.endswith(f".{zone}")


def matches(name: str, zones: Iterable[str]) -> str:
    """Return the longest of the zones that the name is in, "" if it is in none."""
    return max((zone for zone in zones if is_in(name, zone)), key=len, default="")


def dashes(ip: str) -> str:
    """Return the address as one label."""
    return ip.replace(".", "-").replace(":", "-")


def address_of_dashes(label: str) -> str:
    """Return the address that a label in dashes stands for, "" if it is none."""
    four = label.count("-") == 3 and "--" not in label
    ip = label.replace("-", "." if four else ":")
    return ip if is_ip(ip) else ""


def address_of_reverse(name: str) -> str:
    """Return the address that a name under in-addr.arpa or ip6.arpa stands for, "" if none."""
    if name.endswith(".in-addr.arpa."):
        ip = ".".join(reversed(name.removesuffix(".in-addr.arpa.").split(".")))
        return ip if is_ip(ip) else ""
    if name.endswith(".ip6.arpa."):
        digits = "".join(reversed(name.removesuffix(".ip6.arpa.").split(".")))
        groups = ":".join(digits[place : place + 4] for place in range(0, len(digits), 4))
        return str(ip_address(groups)) if len(digits) == 32 and is_ip(groups) else ""
    return ""


@lru_cache(maxsize=1 << 14)
def is_ip(text: str) -> bool:
    """Say whether the text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
