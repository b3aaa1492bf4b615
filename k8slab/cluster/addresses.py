"""The addresses of a cluster: of its machines on their wire, and of its Pods.

Up to 240 machines share 192.168.10.0/24, and their Pods 10.244.0.0/16, a /24 for each node, as in
most small clusters. A larger cluster gets wider networks with the same first addresses. A cluster
of both families has IPv6 networks beside them, one of IPv6 has those alone.

Rule of use: a cluster chooses once, before the first machine is there.

Upstream: none (kubeadm's networking.podSubnet is chosen by people)
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.linux.addresses import ip_int, ip_text, is_ipv6, network

NETWORK = ip_int("192.168.10.0")
CONTROL_PLANE, FIRST_WORKER = 10, 11  # numbers of machines; their addresses end so
ROUTER, OUTSIDE = 1, 2  # the way out, and a client beyond the cluster
SMALL = 240  # machines
NETWORK6, PREFIX6 = ip_int("fc00:f853:ccd:e793::"), 64  # as kind's
SERVICES, SERVICES6, PODS6 = "10.96.0.0/12", "fd00:10:96::/112", "fd00:10:244::/48"
DNS = 10  # number of kube-dns in the range of the Services, as kubeadm chooses
IPV4, IPV6 = "IPv4", "IPv6"
IP_FAMILIES = ((IPV4,), (IPV6,), (IPV4, IPV6))


class Subnets(msgspec.Struct, frozen=True):
    """The networks of one cluster; of pods and services one, or one of each family."""

    families: tuple[str, ...]  # the first one is that of Services which do not ask
    prefix: int  # length of the machines' IPv4 network
    pods: str  # --cluster-cidr
    services: str  # --service-cluster-ip-range

    def addresses(self, number: int) -> tuple[str, ...]:
        """Return the addresses of the machine with that number, one of each family.

        >>> subnets(4).addresses(CONTROL_PLANE), subnets(400).addresses(FIRST_WORKER + 300)
        (('192.168.10.10',), ('192.168.11.55',))
        >>> subnets(4, (IPV6,)).addresses(CONTROL_PLANE)
        ('fc00:f853:ccd:e793::a',)
        """
        return tuple(
            ip_text(NETWORK6 + number, ipv6=True) if family == IPV6 else ip_text(NETWORK + number)
            for family in self.families
        )

    def with_lengths(self, number: int) -> tuple[str, ...]:
        """Return the same with the lengths of their networks, as a device is given them."""
        return tuple(
            f"{ip}/{PREFIX6 if is_ipv6(ip) else self.prefix}" for ip in self.addresses(number)
        )

    @property
    def dns(self) -> str:
        """The address of the Service kube-dns.

        >>> subnets(4).dns, subnets(4, (IPV6,)).dns
        ('10.96.0.10', 'fd00:10:96::a')
        """
        services = self.services.partition(",")[0]
        return ip_text(network(services)[0] + DNS, is_ipv6(services))


def subnets(machines: int, families: Sequence[str] = (IPV4,)) -> Subnets:
    """Return networks that have room for so many machines. Raises ValueError.

    >>> subnets(4)
    Subnets(families=('IPv4',), prefix=24, pods='10.244.0.0/16', services='10.96.0.0/12')
    """
    if tuple(families) not in IP_FAMILIES:
        known = ", ".join(map(str, IP_FAMILIES))
        raise ValueError(f"ip_families are one of {known}, got {tuple(families)!r}")
    prefix, pods = (24, "10.244.0.0/16") if machines <= SMALL else (16, "10.240.0.0/12")
    of_pods, of_services = {IPV4: pods, IPV6: PODS6}, {IPV4: SERVICES, IPV6: SERVICES6}
    return Subnets(
        tuple(families),
        prefix,
        ",".join(of_pods[family] for family in families),
        ",".join(of_services[family] for family in families),
    )
