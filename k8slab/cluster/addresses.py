"""The addresses of a cluster: of its machines on their wire, and of its Pods.

Up to 240 machines share 192.168.10.0/24, and their Pods 10.244.0.0/16, a /24 for each node, as in
most small clusters. A larger cluster gets wider networks with the same first addresses. A cluster
of both families has IPv6 networks beside them.

Rule of use: a cluster chooses once, before the first machine is there.

Upstream: none (kubeadm's networking.podSubnet is chosen by people)
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.linux.addresses import ip_int, ip_text

NETWORK = ip_int("192.168.10.0")
CONTROL_PLANE, FIRST_WORKER = 10, 11  # numbers of machines; their addresses end so
ROUTER, OUTSIDE = 1, 2  # the way out, and a client beyond the cluster
SMALL = 240  # machines
NETWORK6 = ip_int("fc00:f853:ccd:e793::")  # as kind's
SERVICES, SERVICES6, PODS6 = "10.96.0.0/12", "fd00:10:96::/112", "fd00:10:244::/48"
IP_FAMILIES = (("IPv4",), ("IPv4", "IPv6"))


def address(number: int) -> str:
    """Return the address of the machine with that number.

    >>> address(CONTROL_PLANE), address(FIRST_WORKER + 300)
    ('192.168.10.10', '192.168.11.55')
    """
    return ip_text(NETWORK + number)


def address6(number: int) -> str:
    """Return the IPv6 address of the machine with that number.

    >>> address6(CONTROL_PLANE)
    'fc00:f853:ccd:e793::a'
    """
    return ip_text(NETWORK6 + number, ipv6=True)


class Subnets(msgspec.Struct, frozen=True):
    """The networks of one cluster; of pods and services one, or one of each family."""

    prefix: int  # length of the machines' network
    pods: str  # --cluster-cidr
    services: str = SERVICES  # --service-cluster-ip-range

    @property
    def ipv6(self) -> bool:
        """Whether machines and Pods have IPv6 addresses too."""
        return "," in self.pods


def subnets(machines: int, families: Sequence[str] = ("IPv4",)) -> Subnets:
    """Return networks that have room for so many machines. Raises ValueError.

    >>> subnets(4)
    Subnets(prefix=24, pods='10.244.0.0/16', services='10.96.0.0/12')
    """
    if tuple(families) not in IP_FAMILIES:
        raise ValueError(
            f'ip_families are ("IPv4",) or ("IPv4", "IPv6"), got {tuple(families)!r}: the lab has '
            "no cluster of IPv6 only"
        )
    prefix, pods = (24, "10.244.0.0/16") if machines <= SMALL else (16, "10.240.0.0/12")
    if len(families) == 1:
        return Subnets(prefix, pods)
    return Subnets(prefix, f"{pods},{PODS6}", f"{SERVICES},{SERVICES6}")
