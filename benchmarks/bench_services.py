"""Services by the ten thousand: packets traced, rules written, slices planned.

A trace with iptables says how many rules the kernel would have looked at one by one; the lab finds
them in an index. The peer of each figure is the same with nftables, or the first time.
"""

from collections.abc import Iterator
from typing import Any, cast

from benchmarks.measure import Row, once, seconds
from k8slab.api import load
from k8slab.api.core import Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.control_plane.controllers.endpoint_slice import Desired, plan
from k8slab.linux.netfilter import Ruleset
from k8slab.linux.nft import NftRuleset
from k8slab.node.kube_proxy import Config
from k8slab.node.kube_proxy.nftables import NftSync
from k8slab.node.kube_proxy.render import RuleSync
from k8slab.node.kube_proxy.topology import NodeView

SIZES = (10, 100, 1_000, 10_000)
ENDPOINTS = 10  # of each Service
PODS = 10_000  # behind one Service
TRACES = 50
NODE, POD = NodeView("node-1"), "10.244.1.2"


def rows() -> Iterator[Row]:
    """Measure traces, syncs and plans."""
    for size in SIZES:
        yield from traces(size)
    yield from syncs(SIZES[-1])
    yield from slices()


def traces(size: int) -> Iterator[Row]:
    """Trace connections to the last of so many Services, through both kinds of rules."""
    given = [objects(number, endpoints=1) for number in range(size)]
    iptables, nft = Ruleset(), NftRuleset()
    write(RuleSync(NODE, Config()), iptables, given)
    write(NftSync(NODE, Config()), nft, given)
    examined = iptables.trace(POD, address(size - 1), 80).branches[0].examined
    name = f"traces, {size:,} Services: iptables looks at {examined:,} rules"
    yield Row(name, speed(iptables, size), "1/s", "nftables", speed(nft, size))


def speed(rules: Ruleset | NftRuleset, size: int) -> float:
    """Return how many connections are traced in a second."""

    def run() -> None:
        for _ in range(TRACES):
            rules.trace(POD, address(size - 1), 80)

    run()  # reads rules and builds the index
    return TRACES / seconds(run)


def syncs(size: int) -> Iterator[Row]:
    """Write the rules of so many Services, then those of one that changed."""
    given = [objects(number, ENDPOINTS) for number in range(size)]
    changed = [objects(size // 2, ENDPOINTS - 1, version=2)]
    one, other = RuleSync(NODE, Config()), NftSync(NODE, Config())
    iptables, nft = Ruleset(), NftRuleset()
    full = [once(lambda: write(one, iptables, given)), once(lambda: write(other, nft, given))]
    part = [once(lambda: write(one, iptables, changed)), once(lambda: write(other, nft, changed))]
    name = f"full sync, {size:,} Services of {ENDPOINTS} endpoints"
    yield Row(name, full[0], "s", "nftables", full[1])
    name = "sync of one changed Service among them"
    yield Row(name, part[0] * 1e3, "ms", "nftables", part[1] * 1e3)


def write(sync: Any, rules: Any, given: list[tuple[Service, list[EndpointSlice]]]) -> None:
    """Tell the sync of the Services and let it write."""
    for service, slices in given:
        sync.set_service(f"default/{service.metadata.name}", service, slices)
    sync.apply(rules)


def slices() -> Iterator[Row]:
    """Plan the slices of a Service with very many Pods, then after one Pod changed."""
    service, _ = objects(1, 1)
    nodes: dict[str, Any] = {
        "node-1": load({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}})
    }
    pods = [pod(number) for number in range(PODS)]
    first = once(lambda: plan(service, pods, nodes.values()))
    known = Desired(service, nodes, pods)
    existing = plan(service, (), (), desired=known).slices
    known.put(pod(PODS // 2, ready=False))
    later = seconds(lambda: plan(service, (), (), existing, desired=known))
    name = f"slices of a Service with {PODS:,} Pods, one changed"
    yield Row(name, later * 1e3, "ms", "all new", first * 1e3)


def objects(number: int, endpoints: int, version: int = 1) -> tuple[Service, list[EndpointSlice]]:
    """Return a Service and its slice, as an API server has them."""
    meta = {"name": f"s-{number}", "namespace": "default", "resourceVersion": str(version)}
    spec = {"clusterIP": address(number), "ports": [{"port": 80}], "selector": {"app": "web"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": meta | {"uid": f"s{number}"}}
    labels = {"kubernetes.io/service-name": f"s-{number}"}
    ips = [f"10.{n}.{number // 256}.{number % 256}" for n in range(endpoints)]
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta | {"uid": f"e{number}", "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ip]} for ip in ips],
        "ports": [{"port": 8080}],
    }
    made: Any = load(service | {"spec": spec})
    return made, [cast(EndpointSlice, load(slice_))]


def address(number: int) -> str:
    """Return the ClusterIP of a Service."""
    return f"10.96.{number // 256}.{number % 256}"


def pod(number: int, ready: bool = True) -> Pod:
    """Return a Pod with an address."""
    condition = {"type": "Ready", "status": str(ready)}
    ip = f"10.244.{number // 256}.{number % 256}"
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
    meta = {"name": f"p-{number}", "namespace": "default", "uid": f"p{number}"}
    spec = {"nodeName": "node-1", "containers": [{"name": "c", "image": "web"}]}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    return cast(Pod, load(manifest | {"status": status}))
