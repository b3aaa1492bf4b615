"""From a name to an address, as a program's C library does it: hosts file first, then DNS.

Rule of use: programs call `process.resolve(host)`; tools that show the answers call `look_up`.

Upstream: glibc nss/getaddrinfo.c, musl src/network/lookup_name.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux.addresses import ip_int

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey
    from k8slab.linux.resolver import Lookup
    from k8slab.node.runtime.process import Process


async def address_of(process: Process, host: str, journey: Journey | None = None) -> str:
    """Return the address of a name. Raises k8slab.linux.resolver.ResolutionError."""
    if is_address(host):
        return host
    return (await look_up(process, host, journey)).ip


async def look_up(process: Process, host: str, journey: Journey | None = None) -> Lookup:
    """Ask the hosts file and the name servers of the container's resolv.conf."""
    from k8slab.linux.resolver import lookup

    return await lookup(
        process.net,
        host,
        _contents(process, "/etc/resolv.conf"),
        libc=process.container.image.libc,
        hosts=hosts_table(_contents(process, "/etc/hosts")),
        owner=process.group,
        journey=journey,
    )


def is_address(host: str) -> bool:
    """Say whether the text is an address already."""
    if not host[:1].isdigit() and ":" not in host:
        return False
    try:
        ip_int(host)
    except ValueError:
        return False
    return True


def hosts_table(text: str) -> dict[str, str]:
    r"""Return a hosts file's names with their IPv4 addresses; the first line wins.

    >>> hosts_table("127.0.0.1 localhost\n10.244.1.2\tweb web.example # me")["web.example"]
    '10.244.1.2'
    """
    table: dict[str, str] = {}
    for line in text.split("\n"):
        words = line.partition("#")[0].split()
        if words and ":" not in words[0] and is_address(words[0]):
            for name in words[1:]:
                table.setdefault(name, words[0])
    return table


def _contents(process: Process, path: str) -> str:
    try:
        return process.read(path)
    except FileNotFoundError:
        return ""
