"""The prometheus plugin: what the server has counted, as Prometheus reads it.

Upstream: coredns plugin/metrics
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.addons.coredns.process import VERSION

if TYPE_CHECKING:
    from k8slab.addons.coredns.server import CoreDNS


def page(server: CoreDNS) -> str:
    """Return the page /metrics."""
    totals: dict[str, int] = {}
    for (qtype, _), count in server.requests.items():
        totals[qtype] = totals.get(qtype, 0) + count
    caches = [cache.store for chain in server.chains for cache in chain.caches]
    lines = [
        f'coredns_build_info{{version="{VERSION}"}} 1',
        *(f'coredns_dns_requests_total{{type="{t}"}} {n}' for t, n in totals.items()),
        *(
            f'coredns_dns_responses_total{{type="{qtype}",rcode="{rcode}"}} {count}'
            for (qtype, rcode), count in server.requests.items()
        ),
        *(
            f'coredns_cache_hits_total{{type="{kind}"}} {sum(cache.hits[kind] for cache in caches)}'
            for kind in ("success", "denial")
        ),
    ]
    return "\n".join(lines) + "\n"
