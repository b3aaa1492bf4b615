"""What more Services cost a node: rules written, and rules that a packet meets.

`cost_of_rules(services, endpoints)` renders so many Services with kube-proxy's own functions, in
both forms, and sends a connection to the last of them through each.

Rule of use: nothing is put into the cluster; 10,000 Services take some seconds of yours.

Upstream: none (KEP-3866, nftables for kube-proxy, gives the reasons)
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import msgspec

CLIENT = "10.244.255.254"
FIRST_SERVICE, FIRST_POD = IPv4Address("10.96.0.1"), IPv4Address("10.128.0.1")


class RuleCost(msgspec.Struct, frozen=True):
    """How many rules there are, and how many a new connection meets on its way."""

    services: int
    endpoints: int  # of each Service
    rules: int  # lines of iptables-save
    iptables: int  # rules that the first packet meets, if it draws the first Pod
    iptables_last: int  # the same, if it draws the last one
    nftables: int


def cost_of_rules(services: int, endpoints: int) -> RuleCost:
    """Render, send and count; raises ValueError for numbers below 1."""
    from k8slab.node.kube_proxy import nftables, render

    if services < 1 or endpoints < 1:
        raise ValueError(f"expected 1 or more of each, got {services} Services, {endpoints} each")
    objects = [_service(number) for number in range(services)]
    slices = [_slice(number, endpoints) for number in range(services)]
    last = objects[-1].spec.clusterIP
    rules = render(objects, slices)
    written = sum(len(c.rules) for t in rules.tables.values() for c in t.chains.values())
    one = [branch.examined for branch in rules.trace(CLIENT, last, 80).branches]
    other = nftables.render(objects, slices).trace(CLIENT, last, 80).branches[0].examined
    return RuleCost(services, endpoints, written, min(one), max(one), other)


def _name(number: int) -> str:
    """Return a name; rules stand in the order of names, so the last one is the last to be met."""
    return f"service-{number:05d}"


def _service(number: int) -> Any:
    from k8slab.api.core import Service, ServicePort, ServiceSpec
    from k8slab.api.meta import ObjectMeta

    ip = str(FIRST_SERVICE + number)
    port = ServicePort(port=80, protocol="TCP")
    return Service(
        metadata=ObjectMeta(name=_name(number), namespace="default"),
        spec=ServiceSpec(clusterIP=ip, clusterIPs=(ip,), ports=(port,)),
    )


def _slice(number: int, endpoints: int) -> Any:
    from k8slab.api.discovery import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
    from k8slab.api.meta import ObjectMeta

    service = _name(number)
    first = FIRST_POD + number * endpoints
    return EndpointSlice(
        metadata=ObjectMeta(
            name=f"{service}-x",
            namespace="default",
            labels={"kubernetes.io/service-name": service},
        ),
        addressType="IPv4",
        ports=(EndpointPort(name="", port=80, protocol="TCP"),),
        endpoints=tuple(
            Endpoint(addresses=(str(first + n),), conditions=EndpointConditions(ready=True))
            for n in range(endpoints)
        ),
    )
