"""Every rule that kube-proxy writes in its nftables form, from nothing.

Rule of use: pure; a node's own table is kept by `NftSync`.

Upstream: pkg/proxy/nftables/proxier.go (syncProxyRules)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8slab.api.core import Node, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.nft import NftRuleset
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.nftables.sync import NftSync
from k8slab.node.kube_proxy.sync import IPV4, view_of
from k8slab.node.kube_proxy.types import namespace_of, slices_by_service


def render(
    services: Iterable[Service],
    endpoint_slices: Iterable[EndpointSlice],
    *,
    node: Node | str = "",
    config: Config | None = None,
    family: str = IPV4,
    service_cidrs: Sequence[str] = (),
) -> NftRuleset:
    """Return kube-proxy's table on the node; `str()` is text for `nft -f`.

    Objects need neither defaults nor validation. Node ports are at `nodePortAddresses`, without
    them at the node's InternalIP; a node that is only a name has them at all its addresses.
    """
    sync = NftSync(view_of(node), config or Config(), family=family)
    sync.service_cidrs = tuple(service_cidrs)
    slices = slices_by_service(endpoint_slices)
    ordered = sorted(services, key=lambda each: (namespace_of(each), each.metadata.name))
    for service in ordered:
        key = f"{namespace_of(service)}/{service.metadata.name}"
        sync.set_service(key, service, slices.get(key, ()))
    ruleset = NftRuleset()
    sync.apply(ruleset)
    return ruleset
