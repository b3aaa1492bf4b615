"""From a name to an address, as a program's C library does it: hosts file first, then DNS.

Rule of use: programs call `process.resolve(host)`.

Upstream: glibc nss/getaddrinfo.c, musl src/network/lookup_name.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux.addresses import ip_int

if TYPE_CHECKING:
    from k8slab.node.runtime.process import Process


async def address_of(process: Process, host: str) -> str:
    """Return the IPv4 address of a name. Raises what the resolver raises."""
    if is_address(host):
        return host
    known = in_hosts(_hosts(process), host)
    if known:
        return known
    return (await query(process, host))[0]


async def query(process: Process, host: str) -> tuple[str, ...]:
    """Ask the name servers of the container's resolv.conf; returns all addresses."""
    from k8slab.linux.resolver import lookup

    found = await lookup(
        process.net,
        host,
        process.read("/etc/resolv.conf"),
        libc=process.container.image.libc,
    )
    return tuple(found.addresses)


def is_address(host: str) -> bool:
    """Say whether the text is an IPv4 address already."""
    if not host[:1].isdigit():
        return False
    try:
        ip_int(host)
    except ValueError:
        return False
    return True


def in_hosts(hosts: str, host: str) -> str:
    r"""Return the address that a hosts file gives a name, "" if none.

    >>> in_hosts("127.0.0.1 localhost\n10.244.1.2\tweb web.example", "web.example")
    '10.244.1.2'
    """
    for line in hosts.split("\n"):
        words = line.partition("#")[0].split()
        if host in words[1:] and is_address(words[0]):
            return words[0]
    return ""


def _hosts(process: Process) -> str:
    try:
        return process.read("/etc/hosts")
    except FileNotFoundError:
        return "127.0.0.1 localhost\n"
