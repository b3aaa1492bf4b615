"""How a Pod is plugged in: a cable from its eth0 to the node's bridge cni0.

    node                          Pod
    cni0 10.244.1.1/24 -- vethd1f2c3a4 ===== eth0 10.244.1.7/24, default via 10.244.1.1

Rule of use: all functions change namespaces and nothing else; doing a thing twice does no harm.

Upstream: containernetworking/plugins plugins/main/bridge
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.linux.addresses import is_ipv6
from k8slab.linux.links import Bridge, veth_pair
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.node.cni.ipam import gateway

BRIDGE = "cni0"
INSIDE = "eth0"  # the device's name in the Pod
METRIC6 = 1024  # of the default route of IPv6
VETH_DIGITS = 8  # of the sandbox's id, in the name of the host's end


def ensure_bridge(host: NetNamespace, subnets: Sequence[str]) -> Bridge:
    """Return the node's bridge, made with the gateways' addresses if it is not there."""
    device = host.interfaces.get(BRIDGE)
    if not isinstance(device, Bridge):
        device = host.add_bridge(BRIDGE)
    for subnet in subnets:
        address = f"{gateway(subnet)}/{subnet.partition('/')[2]}"
        if address not in device.addresses:
            device.add_address(address)
    return device


def plug(
    host: NetNamespace, pod: NetNamespace, sandbox_id: str, addresses: Sequence[tuple[str, str]]
) -> None:
    """Connect the Pod's namespace and give it its addresses and its way out.

    `addresses` are an address and its range, for each family.
    """
    bridge = ensure_bridge(host, [subnet for _, subnet in addresses])
    outside, inside = veth_pair(host, veth_name(sandbox_id), pod, INSIDE)
    # hairpin: a Pod that reaches itself through a Service comes back through its own port
    bridge.attach(outside, hairpin=True)
    for ip, subnet in addresses:
        inside.add_address(f"{ip}/{subnet.partition('/')[2]}")
        out = Route(
            destination="default",
            gateway=gateway(subnet),
            device=INSIDE,
            metric=METRIC6 if is_ipv6(ip) else 0,
        )
        pod.routes_for(ip).replace(out)


def unplug(host: NetNamespace, sandbox_id: str) -> None:
    """Take the cable away."""
    host.remove(veth_name(sandbox_id))


def veth_name(sandbox_id: str) -> str:
    """Return the name of the host's end of a sandbox's cable."""
    return f"veth{sandbox_id[:VETH_DIGITS]}"
