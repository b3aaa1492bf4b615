"""The addresses of a cluster: of its machines on their wire, and of its Pods.

Up to 240 machines share 192.168.10.0/24, and their Pods 10.244.0.0/16, a /24 for each node, as in
most small clusters. A larger cluster gets wider networks with the same first addresses.

Rule of use: a cluster chooses once, before the first machine is there.

Upstream: none (kubeadm's networking.podSubnet is chosen by people)
"""

from __future__ import annotations

import msgspec

from k8slab.linux.addresses import ip_int, ip_text

NETWORK = ip_int("192.168.10.0")
CONTROL_PLANE, FIRST_WORKER = 10, 11  # numbers of machines; their addresses end so
ROUTER, OUTSIDE = 1, 2  # the way out, and a client beyond the cluster
SMALL = 240  # machines


def address(number: int) -> str:
    """Return the address of the machine with that number.

    >>> address(CONTROL_PLANE), address(FIRST_WORKER + 300)
    ('192.168.10.10', '192.168.11.55')
    """
    return ip_text(NETWORK + number)


class Subnets(msgspec.Struct, frozen=True):
    """The networks of one cluster."""

    prefix: int  # length of the machines' network
    pods: str  # --cluster-cidr


def subnets(machines: int) -> Subnets:
    """Return networks that have room for so many machines.

    >>> subnets(4)
    Subnets(prefix=24, pods='10.244.0.0/16')
    """
    return Subnets(24, "10.244.0.0/16") if machines <= SMALL else Subnets(16, "10.240.0.0/12")
