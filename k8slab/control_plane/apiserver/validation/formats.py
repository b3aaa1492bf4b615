"""What texts must look like: names, labels, ports, addresses, percentages.

Interface: functions from a value to the reasons why it is wrong, empty if it is right; and `each`,
which makes field errors of those reasons.

Rule of use: reasons are upstream's sentences. A check that many fields share belongs here.

Upstream: staging/src/k8s.io/apimachinery/pkg/util/validation/{validation,ip}.go
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias

from k8slab.api.errors import FieldError, invalid_value, not_supported, required
from k8slab.api.label_syntax import key_errors, value_errors

Errors: TypeAlias = Iterator[FieldError]
Reasons: TypeAlias = tuple[str, ...]

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_RE, SUBDOMAIN_RE = re.compile(LABEL), re.compile(SUBDOMAIN)
CONFIG_KEY_RE = re.compile(r"[-._a-zA-Z0-9]+")
HEADER_RE = re.compile(r"[-A-Za-z0-9]+")
PATH_RE = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
PERCENT_RE = re.compile(r"[0-9]+%")

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{LABEL}')"
)
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{SUBDOMAIN}')"
)
CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
    "'[-._a-zA-Z0-9]+')"
)
HEADER_TEXT = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
    "regex used for validation is '[-A-Za-z0-9]+')"
)
ENV_TEXT = (
    "a valid environment variable name must consist only of printable ASCII characters other "
    "than '='"
)
PATH_TEXT = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"
IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
PERCENT_TEXT = "must be an integer or percentage (e.g '5%')"
NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
PROTOCOLS = ("SCTP", "TCP", "UDP")
MAX_ID = 0xFFFFFFFF  # of users and groups


def each(path: str, value: Any, reasons: Iterable[str]) -> Errors:
    """Yield one error for each reason why the value is wrong."""
    for reason in reasons:
        yield invalid_value(path, value, reason)


# -- names


@lru_cache(maxsize=4096)
def dns_label(text: str) -> Reasons:
    """Say why a text cannot be one part of a DNS name."""
    reasons = [f"must be no more than {63} characters"] if len(text) > 63 else []
    if not LABEL_RE.fullmatch(text):
        dotted = SUBDOMAIN_RE.fullmatch(text) is not None
        reasons.append("must not contain dots" if dotted else LABEL_TEXT)
    return tuple(reasons)


@lru_cache(maxsize=4096)
def dns_subdomain(text: str) -> Reasons:
    """Say why a text cannot be a DNS name, as the names of most objects must be."""
    reasons = [f"must be no more than {253} characters"] if len(text) > 253 else []
    if not SUBDOMAIN_RE.fullmatch(text):
        reasons.append(SUBDOMAIN_TEXT)
    return tuple(reasons)


@lru_cache(maxsize=4096)
def qualified_name(text: str) -> Reasons:
    """Say why a text is no qualified name, such as a label key: "example.com/tier"."""
    return tuple(key_errors(text))


@lru_cache(maxsize=4096)
def label_value(text: str) -> Reasons:
    """Say why a text is no label value."""
    return tuple(value_errors(text))


def path_segment(text: str) -> Reasons:
    """Say why a text cannot stand between two slashes of a URL."""
    if text in (".", ".."):
        return (f"may not be '{text}'",)
    return tuple(f"may not contain '{sign}'" for sign in "/%" if sign in text)


def config_key(text: str) -> Reasons:
    """Say why a text cannot be a key of a ConfigMap or Secret, which may become a file name."""
    reasons = [f"must be no more than {253} characters"] if len(text) > 253 else []
    if not CONFIG_KEY_RE.fullmatch(text):
        reasons.append(CONFIG_KEY_TEXT)
    if text in (".", ".."):
        reasons.append(f"must not be '{text}'")
    elif text.startswith(".."):
        reasons.append("must not start with '..'")
    return tuple(reasons)


def env_name(text: str) -> Reasons:
    """Say why a text cannot name an environment variable."""
    plain = text.isascii() and text.isprintable() and "=" not in text
    return () if plain else (ENV_TEXT,)


def header_name(text: str) -> Reasons:
    """Say why a text cannot name a header of HTTP."""
    return () if HEADER_RE.fullmatch(text) else (HEADER_TEXT,)


# -- numbers


def in_range(value: int, lowest: int, highest: int) -> Reasons:
    """Say why a number is out of its range."""
    if lowest <= value <= highest:
        return ()
    return (f"must be between {lowest} and {highest}, inclusive",)


def port_number(value: int) -> Reasons:
    """Say why a number is no port."""
    return in_range(value, 1, 65535)


@lru_cache(maxsize=1024)
def port_name(text: str) -> Reasons:
    """Say why a text cannot name a port; that is why the text "80" is none."""
    reasons = [f"must be no more than {15} characters"] if len(text) > 15 else []
    if not re.fullmatch(r"[-a-z0-9]+", text):
        reasons.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", text):
        reasons.append("must contain at least one letter (a-z)")
    if "--" in text:
        reasons.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        reasons.append("must not begin or end with a hyphen")
    return tuple(reasons)


def port(value: int | str) -> Reasons:
    """Say why a value is neither the number nor the name of a port."""
    return port_name(value) if isinstance(value, str) else port_number(value)


def not_negative(path: str, value: int | None) -> Errors:
    """Yield an error if the number is below zero."""
    if value is not None and value < 0:
        yield invalid_value(path, value, NOT_NEGATIVE)


def number_or_percent(path: str, value: int | str | None) -> Errors:
    """Yield an error if the value is neither a number from 0 on nor a percentage."""
    if isinstance(value, str):
        if not PERCENT_RE.fullmatch(value):
            yield invalid_value(path, value, PERCENT_TEXT)
    else:
        yield from not_negative(path, value)


def at_most_all(path: str, value: int | str | None) -> Errors:
    """Yield an error if a percentage is above 100%."""
    if isinstance(value, str) and PERCENT_RE.fullmatch(value) and int(value[:-1]) > 100:
        yield invalid_value(path, value, "must not be greater than 100%")


def is_zero(value: int | str | None) -> bool:
    """Say whether a number or percentage is nothing.

    >>> is_zero(0), is_zero("0%"), is_zero("25%")
    (True, True, False)
    """
    if isinstance(value, str):
        return not PERCENT_RE.fullmatch(value) or int(value[:-1]) == 0
    return not value


# -- addresses


# The addresses of Endpoints, a thousand of them, are looked at again at each change of one.
@lru_cache(maxsize=1 << 16)
def ip(text: str) -> Reasons:
    """Say why a text is no IP address."""
    try:
        ip_address(text)
    except ValueError:
        return (IP_TEXT,)
    return ()


def cidr(text: str) -> Reasons:
    """Say why a text is no range of addresses."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return (CIDR_TEXT,)
    return () if "/" in text else (CIDR_TEXT,)


@lru_cache(maxsize=1 << 16)
def ordinary_ip(text: str) -> Reasons:
    """Say why an address cannot be one that others send packets to."""
    address = ip_address(text)
    reasons = []
    if address.is_unspecified:
        reasons.append(f"may not be unspecified ({text})")
    if address.is_loopback:
        reasons.append("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        reasons.append("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if address in ip_network("224.0.0.0/24") or address in ip_network("ff02::/16"):
        reasons.append("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
    return tuple(reasons)


# -- fields


def domain_path(path: str, value: str) -> Errors:
    """Yield an error if the value is no path below a domain, such as "acme.io/foo"."""
    domain, slash, rest = value.partition("/")
    if not value:
        yield required(path)
    elif not slash or not domain or not rest:
        text = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid_value(path, value, text)
    else:
        yield from each(path, domain, dns_subdomain(domain))
        if not PATH_RE.fullmatch(rest):
            yield invalid_value(path, rest, PATH_TEXT)


def one_of(path: str, value: str | None, supported: tuple[str, ...]) -> Errors:
    """Yield an error if the value is missing or none of those that there are."""
    if not value:
        yield required(path)
    elif value not in supported:
        yield not_supported(path, value, supported)


def immutable(path: str, new: Any, old: Any) -> Errors:
    """Yield an error if the value has changed."""
    if new != old:
        yield invalid_value(path, new, IMMUTABLE)
