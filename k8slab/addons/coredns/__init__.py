"""CoreDNS: the cluster's DNS server.

`answer(qname, qtype, services=..., endpoint_slices=..., pods=..., config=...)` says what a name
means in a cluster with these objects; `CoreDNS` is the program that answers on port 53. A question
comes in by `listeners`, goes through the `chain` of plugins of its server block, and back.

Rule of use: names are data, derived from Services and EndpointSlices; nobody registers one.

Upstream: coredns plugin/kubernetes
"""

from k8slab.addons.coredns.kubernetes import Config, answer
from k8slab.addons.coredns.process import UpstreamZone
from k8slab.addons.coredns.records import Answer, Record
from k8slab.addons.coredns.server import CoreDNS

__all__ = ["Answer", "Config", "CoreDNS", "Record", "UpstreamZone", "answer"]
