"""DNS questions by the second, from a node through kube-proxy's rules to CoreDNS and back.

Each look-up asks for A and AAAA, so it is two questions. The server alone reads a question off the
wire, and puts the answer on it. The peer is what CoreDNS publishes of itself on two CPUs, an order
of magnitude and no race: there packets are real, here so is every rule that they pass.
"""

from collections.abc import Iterator

from benchmarks.measure import Row, once, seconds
from k8slab import Cluster
from k8slab.addons.coredns import Config
from k8slab.addons.coredns.kubernetes import look_up
from k8slab.addons.coredns.messages import question_of, reply
from k8slab.addons.coredns.records import Tables
from k8slab.api import load
from k8slab.linux.dns_message import query
from k8slab.linux.resolver import lookup

INTERNAL, EXTERNAL = (
    33_669,
    6_733,
)  # queries a second: github.com/coredns/deployment, Scaling_CoreDNS
PEER = "CoreDNS"
LOOKUPS = 500
SERVICES = 1_000
PORTS = [{"port": 80}]
RESOLV_CONF = "nameserver 10.96.0.10\n"


def rows() -> Iterator[Row]:
    """Measure names of the cluster and of the world outside."""
    yield Row("server alone, a name of the cluster", alone(), "1/s", PEER, INTERNAL)
    cluster = Cluster(workers=1, seed=7)
    inside = ["kubernetes.default.svc.cluster.local."] * LOOKUPS
    outside = [f"host-{number}.example.com" for number in range(LOOKUPS)]
    cluster.world.upstream.records.update({name: ["203.0.113.7"] for name in outside})
    yield Row("names of the cluster", speed(cluster, inside), "1/s", PEER, INTERNAL)
    absolute = [f"{name}." for name in outside]
    yield Row("names outside, first time", speed(cluster, absolute), "1/s", PEER, EXTERNAL)
    again = speed(cluster, absolute[-1:] * LOOKUPS)
    yield Row("names outside, from the cache", again, "1/s", PEER, EXTERNAL)


def speed(cluster: Cluster, names: list[str]) -> float:
    """Return how many questions are answered in a second."""
    net = cluster.node("worker-1").machine.net

    async def ask() -> None:
        for name in names:
            found = await lookup(net, name, RESOLV_CONF)
            assert found.addresses, found

    took = once(lambda: cluster.sim.complete(ask(), "benchmark", timeout=3600))
    return 2 * len(names) / took


def alone() -> float:
    """Return how many questions the server answers in a second, among many Services."""
    services = [
        load(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": f"svc-{number}", "namespace": "default"},
                "spec": {
                    "clusterIP": f"10.96.{number >> 8}.{number & 255}",
                    "ports": [{"port": 80}],
                },
            }
        )
        for number in range(SERVICES)
    ]
    source, config = Tables(services, ()), Config()  # type: ignore[arg-type]
    wires = [query(f"svc-{n}.default.svc.cluster.local.", "A", n) for n in range(SERVICES)]

    def run() -> None:
        for wire in wires:
            question = question_of(wire)
            assert question is not None
            found = look_up(question.name, question.type, source, config)
            reply(question, found, question.size)

    return SERVICES / seconds(run)
