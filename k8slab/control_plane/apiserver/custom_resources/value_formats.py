"""The formats that a text may be said to have: date-time, ipv4, uuid and so on.

Rule of use: `fits(format, text)`; a format that nobody knows fits everything, as on a real cluster.

Upstream: k8s.io/kube-openapi/pkg/validation/strfmt
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:\S+|/\S*)")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_MAC = re.compile(r"(?i)([0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}")
_DURATION = re.compile(r"[+-]?(\d+(\.\d*)?\s*(ns|us|µs|ms|s|m|h|d|w)\s*)+|0")
_DATE_TIME = re.compile(r"(?i)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def fits(format: str, text: str) -> bool:
    """Say whether a text has a format.

    >>> fits("ipv4", "10.0.0.1"), fits("ipv4", "10.0.0.256"), fits("colour", "?")
    (True, False, True)
    """
    check = CHECKS.get(format)
    return check is None or check(text)


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except (ValueError, binascii.Error):
        return False
    return True


def _date_time(text: str) -> bool:
    return bool(_DATE_TIME.fullmatch(text)) and _reads(datetime.fromisoformat, text)


def _byte(text: str) -> bool:
    return _reads(lambda given: base64.b64decode(given, validate=True), text)


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "date": lambda text: _reads(date.fromisoformat, text),
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "byte": _byte,
    "ipv4": lambda text: _reads(ipaddress.IPv4Address, text),
    "ipv6": lambda text: _reads(ipaddress.IPv6Address, text),
    "cidr": lambda text: "/" in text and _reads(ipaddress.ip_interface, text),
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": lambda text: _HOST.fullmatch(text) is not None,
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
    "mac": lambda text: _MAC.fullmatch(text) is not None,
}
