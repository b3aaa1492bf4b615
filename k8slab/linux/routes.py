"""The routing table: which way a packet leaves, the longest prefix first.

`Route` is one line of `ip route`; `RouteTable` holds them. Addresses of the namespace itself are
not here: the kernel keeps those in a table that it asks before (`NetNamespace.is_local`).

Rule of use: change a table through `add` and `remove` only; look-ups are remembered until then.

Upstream: Linux net/ipv4/fib_trie.c, iproute2 ip/iproute.c
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from k8slab.linux.addresses import ip_int, ip_text, is_ipv6, network, prefix_length

CONNECTED_METRIC6 = 256  # of the routes that come with IPv6 addresses
REMEMBERED = 4096  # look-ups kept before the cache starts anew


class Route(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One way: packets to `destination` leave by `device`, to `gateway` if there is one.

    >>> print(Route(destination="10.244.2.0/24", device="eth0", gateway="172.18.0.3"))
    10.244.2.0/24 via 172.18.0.3 dev eth0
    """

    destination: str  # "10.244.2.0/24" or "default"
    device: str = ""
    gateway: str = ""
    source: str = ""  # the address that the kernel prefers as the source
    protocol: str = ""  # who made it: "kernel" for the routes of addresses
    scope: str = ""  # "link": the destination is on the wire itself
    metric: int = 0
    onlink: bool = False  # the gateway is on the wire although no route says so
    kind: str = "unicast"  # or "blackhole", "unreachable", "prohibit"

    def __str__(self) -> str:
        words = [] if self.kind == "unicast" else [self.kind]
        words.append(self.destination.removesuffix("/32").removesuffix("/128"))
        for word, value in (
            ("via", self.gateway),
            ("dev", self.device),
            ("proto", self.protocol),
            ("scope", self.scope),
            ("src", self.source),
            ("metric", str(self.metric or "")),
        ):
            words += [word, value] if value else []
        words += ["onlink"] if self.onlink else []
        return " ".join(words + (["pref medium"] if self._is_ipv6 else []))

    @property
    def _is_ipv6(self) -> bool:
        return is_ipv6(self.destination) or is_ipv6(self.gateway)


class RouteTable:
    """The routes of one namespace; `lookup` finds the longest prefix, then the least metric."""

    def __init__(self) -> None:
        self._routes: dict[int, dict[int, list[Route]]] = {}  # mask -> network -> routes
        self._masks: list[int] | None = None  # longest prefix first; None: to be sorted anew
        self._remembered: dict[str, Route | None] = {}

    def add(self, route: Route) -> None:
        """Put the route in. Raises FileExistsError in the words of `ip route add`."""
        net, mask = _key(route.destination)
        if any(each.metric == route.metric for each in self._routes.get(mask, {}).get(net, ())):
            raise FileExistsError("RTNETLINK answers: File exists")
        self.replace(route)

    def replace(self, route: Route) -> None:
        """Put the route in, in the place of one with the same destination and metric."""
        net, mask = _key(route.destination)
        nets = self._routes.setdefault(mask, {})
        others = [each for each in nets.get(net, ()) if each.metric != route.metric]
        nets[net] = sorted([*others, route], key=lambda each: each.metric) if others else [route]
        self._changed()

    def remove(self, destination: str) -> None:
        """Take out every route to exactly that destination; none is no error."""
        net, mask = _key(destination)
        self._routes.get(mask, {}).pop(net, None)
        self._changed()

    def remove_device(self, device: str) -> None:
        """Take out every route through the device, as when it goes down."""
        for nets in self._routes.values():
            for net in list(nets):
                kept = [route for route in nets[net] if route.device != device]
                if kept:
                    nets[net] = kept
                else:
                    del nets[net]
        self._changed()

    def lookup(self, ip: str) -> Route | None:
        """Return the route for the address, None if there is none."""
        try:
            return self._remembered[ip]
        except KeyError:
            pass
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        route = self._remembered[ip] = self._find(ip_int(ip))
        return route

    def _find(self, number: int) -> Route | None:
        if self._masks is None:
            self._masks = sorted((m for m, nets in self._routes.items() if nets), reverse=True)
        for mask in self._masks:
            routes = self._routes[mask].get(number & mask)
            if routes:
                return routes[0]
        return None

    def _changed(self) -> None:
        self._remembered.clear()
        self._masks = None

    def __iter__(self) -> Iterator[Route]:
        """Yield the routes in the order of `ip route`: default first, then by address."""
        found = [
            (net, -mask, route.metric, number, route)
            for mask, nets in self._routes.items()
            for net, routes in nets.items()
            for number, route in enumerate(routes)
        ]
        return iter([entry[-1] for entry in sorted(found, key=lambda entry: entry[:4])])

    def __len__(self) -> int:
        return sum(len(routes) for nets in self._routes.values() for routes in nets.values())


def connected(cidr: str, device: str) -> Route:
    """Return the route that the kernel adds with an address.

    >>> print(connected("10.244.1.5/24", "eth0"))
    10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.5
    """
    net, mask = network(cidr)
    if is_ipv6(cidr):
        return Route(
            destination=f"{ip_text(net, True)}/{prefix_length(mask, True)}",
            device=device,
            protocol="kernel",
            metric=CONNECTED_METRIC6,
        )
    return Route(
        destination=f"{ip_text(net)}/{prefix_length(mask)}",
        device=device,
        protocol="kernel",
        scope="link",
        source=cidr.partition("/")[0],
    )


def _key(destination: str) -> tuple[int, int]:
    return (0, 0) if destination == "default" else network(destination)
