"""kube-proxy's second form: Services as maps of nftables.

`render(services, endpoint_slices, node=..., config=...)` says what the rules are, as text for
`nft -f`; `NftSync` keeps a node's table true to them. Where iptables walks one rule after the
other, here one look-up in a map finds the Service, however many there are.

Rule of use: the same decisions as the other form (types, topology), written down otherwise.

Upstream: pkg/proxy/nftables
"""

from k8slab.node.kube_proxy.nftables.chains import TABLE
from k8slab.node.kube_proxy.nftables.render import render
from k8slab.node.kube_proxy.nftables.sync import NftSync, install_nft

__all__ = ["TABLE", "NftSync", "install_nft", "render"]
