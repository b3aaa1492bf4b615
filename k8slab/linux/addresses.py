"""IPv4 addresses and networks as numbers, parsed once.

A packet carries addresses as text, because text is what a learner reads and what dictionaries
look up; a mask needs the number, which `ip_int` remembers.

Rule of use: IPv4 only; an IPv6 address is a ValueError that says so.

Upstream: Linux include/linux/inet.h, Go net/netip
"""

from __future__ import annotations

from functools import lru_cache

ALL_ONES = 0xFFFFFFFF
LOOPBACK_PREFIX = "127."


@lru_cache(maxsize=1 << 17)
def ip_int(ip: str) -> int:
    """Return the number of a dotted address. Raises ValueError.

    >>> hex(ip_int("10.244.0.5"))
    '0xaf40005'
    """
    parts = ip.split(".")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() and int(p) < 256 for p in parts):
        raise ValueError(f"expected an IPv4 address such as 10.244.0.5, found {ip!r}")
    a, b, c, d = map(int, parts)
    return a << 24 | b << 16 | c << 8 | d


def ip_text(number: int) -> str:
    """Return the dotted form of a number.

    >>> ip_text(0x0af40005)
    '10.244.0.5'
    """
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def mask_of(length: int) -> int:
    """Return the netmask of a prefix length."""
    return ALL_ONES << (32 - length) & ALL_ONES


@lru_cache(maxsize=1 << 16)
def network(cidr: str) -> tuple[int, int]:
    """Return (network, mask) of `a.b.c.d`, `a.b.c.d/len` or `a.b.c.d/mask`. Raises ValueError.

    >>> [hex(n) for n in network("10.244.1.7/24")]
    ['0xaf40100', '0xffffff00']
    """
    ip, slash, length = cidr.partition("/")
    if not slash:
        mask = ALL_ONES
    elif "." in length:
        mask = ip_int(length)
    elif length.isascii() and length.isdigit() and int(length) <= 32:
        mask = mask_of(int(length))
    else:
        raise ValueError(f"expected a network such as 10.244.0.0/16, found {cidr!r}")
    return ip_int(ip) & mask, mask


def prefix_length(mask: int) -> int | None:
    """Return the length of a contiguous mask, None if it has holes."""
    length = mask.bit_count()
    return length if mask_of(length) == mask else None


def contains(cidr: str, ip: str) -> bool:
    """Say whether the address lies in the network."""
    net, mask = network(cidr)
    return ip_int(ip) & mask == net


def is_loopback(ip: str) -> bool:
    """Say whether the address is in 127.0.0.0/8."""
    return ip.startswith(LOOPBACK_PREFIX)
