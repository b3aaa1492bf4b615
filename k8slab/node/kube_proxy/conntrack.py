"""UDP flows that go on to an endpoint which is gone, and must be forgotten.

TCP notices by itself that its other end does not answer. A UDP client that always sends from the
same port, as DNS clients do, would keep its flow alive for ever.

Rule of use: after the new rules are in place, or the flow comes back as it was.

Upstream: pkg/proxy/conntrack/cleanup.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.linux.conntrack import Conntrack, Entry
from k8slab.node.kube_proxy.types import Endpoint, ServicePort


def flush_stale(
    conntrack: Conntrack, ports: Iterable[tuple[ServicePort, tuple[Endpoint, ...]]]
) -> int:
    """Delete the UDP flows to these Service ports that no serving endpoint answers."""
    watched = [(port, endpoints) for port, endpoints in ports if port.protocol == "udp"]
    if not watched:
        return 0
    stale = [
        entry
        for entry in conntrack.entries()
        if entry.protocol == "udp" and any(is_stale(entry, *each) for each in watched)
    ]
    for entry in stale:
        destination, port = entry.original[3:]
        conntrack.delete(
            protocol="udp",
            original_dst=destination,
            original_dport=port,
            reply_src=entry.reply[1],
        )
    return len(stale)


def is_stale(entry: Entry, port: ServicePort, endpoints: tuple[Endpoint, ...]) -> bool:
    """Say whether the flow came through the port but goes to none of its serving endpoints.

    A flow from before the first endpoint was never rewritten: who answers is the Service itself.
    """
    _, _, _, destination, destination_port = entry.original
    addresses = (port.cluster_ip, *port.external_ips, *port.load_balancer_ips)
    through_service = destination_port == port.port and destination in addresses
    through_node = port.node_port and destination_port == port.node_port
    if not through_service and not through_node:
        return False
    answering = entry.reply[1]
    return all(not each.serving or each.ip != answering for each in endpoints)
