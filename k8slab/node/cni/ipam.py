"""Which address a Pod gets: the next free one of the node's range, round and round.

`Ipam` keeps its books as files on the machine's disk, one per address with the sandbox's id in
it, so they outlive every process. An address that was given back is used again only after all
others had their turn, so that late packets to a dead Pod do not reach a new one.

Rule of use: the first address of the range is the gateway and is never given out.

Upstream: containernetworking/plugins plugins/ipam/host-local
"""

from __future__ import annotations

from collections.abc import Container

from k8slab.linux.addresses import ALL_ONES, ALL_ONES6, ip_int, ip_text, is_ipv6, network
from k8slab.node.folder import Folder

STORE = "var/lib/cni/networks"
LAST = "last_reserved_ip."  # and the number of the range: 0, or 1 of the second family


class NoAddresses(Exception):  # noqa: N818 (the plugin's words are the message)
    """The range is used up."""


class Ipam:
    """The addresses of one range on one machine."""

    def __init__(self, disk: Folder, name: str, subnet: str, number: int = 0) -> None:
        self._disk = disk
        self._folder = f"{STORE}/{name}"
        self._last = f"{self._folder}/{LAST}{number}"
        self.subnet = subnet

    def allocate(self, owner: str) -> str:
        """Reserve the next address for the owner and return it. Raises NoAddresses."""
        taken = _Taken(self._disk, self._folder)
        last = str(self._disk.files.get(self._last, ""))
        ip = next_free(self.subnet, last, taken)
        self._disk.write(f"{self._folder}/{ip}", owner)
        self._disk.write(self._last, ip)
        return ip

    def release(self, ip: str) -> None:
        """Give an address back; doing so twice does no harm."""
        self._disk.files.pop(f"{self._folder}/{ip}", None)

    def owned(self) -> dict[str, str]:
        """Return the addresses in use, with their owners."""
        paths = self._disk.list(self._folder)
        found = {path.rpartition("/")[2]: str(self._disk.files[path]) for path in paths}
        return {ip: owner for ip, owner in found.items() if not ip.startswith(LAST)}


def gateway(subnet: str) -> str:
    """Return the first address, which the bridge has.

    >>> gateway("10.244.1.0/24")
    '10.244.1.1'
    """
    return ip_text(network(subnet)[0] + 1, is_ipv6(subnet))


def next_free(subnet: str, last: str, taken: Container[str]) -> str:
    """Return the first address after `last` that is free, going round. Raises NoAddresses.

    >>> next_free("10.244.1.0/29", "10.244.1.2", {"10.244.1.3"})
    '10.244.1.4'
    >>> next_free("10.244.1.0/29", "10.244.1.6", ())
    '10.244.1.2'
    """
    base, mask = network(subnet)
    ipv6 = is_ipv6(subnet)
    ones = ALL_ONES6 if ipv6 else ALL_ONES
    first, final = base + 2, (base | ~mask & ones) - 1  # without gateway and broadcast
    count = final - first + 1
    start = ip_int(last) + 1 - first if last else 0
    for step in range(max(count, 0)):
        ip = ip_text(first + (start + step) % count, ipv6)
        if ip not in taken:
            return ip
    raise NoAddresses(
        "failed to allocate for range 0: no IP addresses available in range set: "
        f"{ip_text(base + 1, ipv6)}-{ip_text(final, ipv6)}"
    )


class _Taken:
    """The addresses that have a file."""

    def __init__(self, disk: Folder, folder: str) -> None:
        self._files = disk.files
        self._folder = folder

    def __contains__(self, ip: object) -> bool:
        return f"{self._folder}/{ip}" in self._files
