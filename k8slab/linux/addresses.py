"""Addresses and networks as numbers, parsed once: 32 bits of IPv4, 128 of IPv6.

A packet carries addresses as text, because text is what a learner reads and what dictionaries
look up; a mask needs the number, which `ip_int` remembers. Text with a colon is IPv6.

Rule of use: IPv6 text is the canonical one (RFC 5952): `ip_text` makes it.

Upstream: Linux include/linux/inet.h, Go net/netip
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

ALL_ONES, ALL_ONES6 = (1 << 32) - 1, (1 << 128) - 1
LOOPBACK_PREFIX, LOOPBACK6 = "127.", "::1"


def is_ipv6(ip: str) -> bool:
    """Say of which family an address, a network or an "address:port" without brackets is."""
    return ":" in ip


@lru_cache(maxsize=1 << 17)
def ip_int(ip: str) -> int:
    """Return the number of an address. Raises ValueError.

    >>> hex(ip_int("10.244.0.5"))
    '0xaf40005'
    >>> ip_int("::1")
    1
    """
    if ":" in ip:
        try:
            return int(IPv6Address(ip))
        except AddressValueError:
            raise ValueError(f"expected an IPv6 address such as fd00::5, found {ip!r}") from None
    parts = ip.split(".")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() and int(p) < 256 for p in parts):
        raise ValueError(f"expected an IPv4 address such as 10.244.0.5, found {ip!r}")
    a, b, c, d = map(int, parts)
    return a << 24 | b << 16 | c << 8 | d


def ip_text(number: int, ipv6: bool = False) -> str:
    """Return the text of a number.

    >>> ip_text(0x0af40005), ip_text(1, ipv6=True)
    ('10.244.0.5', '::1')
    """
    if ipv6:
        return str(IPv6Address(number))
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def mask_of(length: int, ipv6: bool = False) -> int:
    """Return the netmask of a prefix length."""
    if ipv6:
        return ALL_ONES6 << (128 - length) & ALL_ONES6
    return ALL_ONES << (32 - length) & ALL_ONES


@lru_cache(maxsize=1 << 16)
def network(cidr: str) -> tuple[int, int]:
    """Return (network, mask) of an address, `address/length` or `address/mask`. Raises ValueError.

    >>> [hex(n) for n in network("10.244.1.7/24")]
    ['0xaf40100', '0xffffff00']
    """
    ip, slash, length = cidr.partition("/")
    ipv6 = is_ipv6(ip)
    bits = 128 if ipv6 else 32
    if not slash:
        mask = mask_of(bits, ipv6)
    elif "." in length or ":" in length:
        mask = ip_int(length)
    elif length.isascii() and length.isdigit() and int(length) <= bits:
        mask = mask_of(int(length), ipv6)
    else:
        raise ValueError(f"expected a network such as 10.244.0.0/16, found {cidr!r}")
    return ip_int(ip) & mask, mask


def prefix_length(mask: int, ipv6: bool = False) -> int | None:
    """Return the length of a contiguous mask, None if it has holes."""
    length = mask.bit_count()
    return length if mask_of(length, ipv6) == mask else None


def contains(cidr: str, ip: str) -> bool:
    """Say whether the address lies in the network; never in one of the other family."""
    if is_ipv6(cidr) != is_ipv6(ip):
        return False
    net, mask = network(cidr)
    return ip_int(ip) & mask == net


def is_loopback(ip: str) -> bool:
    """Say whether the address is in 127.0.0.0/8, or is ::1."""
    return ip.startswith(LOOPBACK_PREFIX) or ip == LOOPBACK6


def url_host(ip: str) -> str:
    """Return an address as a URL has it: one of IPv6 in brackets."""
    return f"[{ip}]" if is_ipv6(ip) else ip


def joined(ip: str, port: int | str) -> str:
    """Return "address:port", with brackets around an IPv6 address.

    >>> joined("10.0.0.1", 80), joined("fd00::1", 80)
    ('10.0.0.1:80', '[fd00::1]:80')
    """
    return f"{url_host(ip)}:{port}"
