"""Addresses and ports that only one Service may have.

A range is split in two: the lower band is left to those who ask for a certain address, the upper
band serves those who take any, and only when it is full the lower one. So a static choice rarely
meets an address that chance gave away before.

    10.96.0.0/12: band offset min(max(16, 1048576/16), 256) = 256, so 10.96.0.1 ... 10.96.1.0 are
    the static band and 10.96.1.1 ... 10.111.255.254 are given out at random.

Rule of use: `allocate` a certain one or any, `release` it when the Service goes; the state is
rebuilt from the Services when the API server starts.

Upstream: pkg/registry/core/service/{ipallocator,portallocator}
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from k8slab.sim import Rng

NODE_PORTS = (30000, 32767)  # --service-node-port-range
SERVICE_CIDR = "10.96.0.0/12"  # --service-cluster-ip-range


class AllocationFailed(Exception):  # noqa: N818 (an allocation failed)
    """The wanted number cannot be had; the message is upstream's."""


class Full(Exception):  # noqa: N818 (upstream: ErrFull)
    """Nothing is left in the range."""


class Band:
    """Numbers from `first` to `last`, of which the first `reserved` are kept for static choices."""

    def __init__(
        self, first: int, last: int, reserved: int, used: dict[int, None] | None = None
    ) -> None:
        self.first, self.last, self.reserved = first, last, reserved
        self.used: dict[int, None] = {} if used is None else used

    def take(self, number: int) -> bool:
        """Take a certain number; False if it is taken."""
        if number in self.used:
            return False
        self.used[number] = None
        return True

    def any(self, rng: Rng) -> int | None:
        """Take any number, of the upper band if there is one; None if all are taken."""
        middle = self.first + self.reserved
        for low, high in ((middle, self.last), (self.first, middle - 1)):
            size = high - low + 1
            start = rng.randrange(size) if size > 0 else 0
            for step in range(size):
                number = low + (start + step) % size
                if self.take(number):
                    return number
        return None


class ClusterIPs:
    """The addresses of one service range."""

    def __init__(self, cidr: str = SERVICE_CIDR, used: dict[int, None] | None = None) -> None:
        """Serve a range; `used` is shared by ranges that may overlap."""
        self.network = ip_network(cidr)
        size = self.network.num_addresses
        reserved = 0 if size <= 16 else min(max(16, size // 16), 256)
        first = int(self.network.network_address) + 1
        last = first + size - (3 if self.network.version == 4 else 2)  # IPv4 has a broadcast
        self._band = Band(first, last, reserved, used)

    @property
    def used(self) -> dict[int, None]:
        """The addresses that are taken, as numbers."""
        return self._band.used

    def has(self, address: str) -> bool:
        """Say whether the address lies in the range; a text that is none does not."""
        try:
            return ip_address(address) in self.network
        except ValueError:
            return False

    @property
    def family(self) -> str:
        """The family of the addresses, "IPv4" or "IPv6"."""
        return f"IPv{self.network.version}"

    def allocate(self, address: str, rng: Rng) -> str:
        """Take `address`, or any if it is ""; raises AllocationFailed or Full."""
        if not address:
            number = self._band.any(rng)
            if number is None:
                raise Full
            return str(type(self.network.network_address)(number))
        if ip_address(address) not in self.network:
            raise AllocationFailed(
                f"failed to allocate IP {address}: "
                "the provided network does not match the current range"
            )
        if not self._band.take(int(ip_address(address))):
            raise AllocationFailed(
                f"failed to allocate IP {address}: provided IP is already allocated"
            )
        return address

    def release(self, address: str) -> None:
        """Give the address back, if it is one of the range."""
        if self.has(address):
            self._band.used.pop(int(ip_address(address)), None)


def service_ranges(cidrs: str) -> list[ClusterIPs]:
    """Return the ranges of `--service-cluster-ip-range`: one, or one of each family."""
    return [ClusterIPs(cidr.strip()) for cidr in cidrs.split(",")]


class NodePorts:
    """The node ports: one space for all protocols."""

    def __init__(self, first: int = NODE_PORTS[0], last: int = NODE_PORTS[1]) -> None:
        size = last - first + 1
        self._band = Band(first, last, 0 if size <= 16 else min(max(16, size // 32), 128))

    def allocate(self, port: int, rng: Rng) -> int:
        """Take `port`, or any if it is 0; raises AllocationFailed or Full."""
        if not port:
            number = self._band.any(rng)
            if number is None:
                raise Full
            return number
        if not self._band.first <= port <= self._band.last:
            raise AllocationFailed(
                "provided port is not in the valid range. The range of valid ports is "
                f"{self._band.first}-{self._band.last}"
            )
        if not self._band.take(port):
            raise AllocationFailed("provided port is already allocated")
        return port

    def release(self, port: int) -> None:
        """Give the port back."""
        self._band.used.pop(port, None)
