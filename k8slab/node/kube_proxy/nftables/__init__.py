"""kube-proxy's second form: Services as maps of nftables.

`render(services, endpoint_slices, node=..., config=...)` says what the rules are, as text for
`nft -f`. Where iptables walks one rule after the other, here one look-up in a map finds the
Service, however many there are.

Rule of use: the same decisions as the other form (types, topology), written down otherwise.

Upstream: pkg/proxy/nftables
"""

from k8slab.node.kube_proxy.nftables.render import render

__all__ = ["render"]
