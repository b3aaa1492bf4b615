"""The simulated kernel: a request across nodes, rules by the ten thousand, a node of Pods."""

from collections.abc import Iterator

from benchmarks.measure import Row, bytes_kept, seconds
from k8slab.linux.links import Bridge, Segment, veth_pair
from k8slab.linux.netfilter import Ruleset, parse
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.sim import Simulation

REQUESTS, SERVICES, PODS = 500, 10_000, 110
CLUSTER_IP = "10.96.0.10"
RULES = f"""*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-SEP-WEB - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -d {CLUSTER_IP}/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SVC-WEB ! -s 10.244.0.0/16 -d {CLUSTER_IP}/32 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-WEB -j KUBE-SEP-WEB
-A KUBE-SEP-WEB -s 10.244.2.2/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-WEB -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
COMMIT
"""


def rows() -> Iterator[Row]:
    """Measure requests, traces, text and memory."""
    sim, client = two_nodes()
    yield Row(
        "request through a Service on another node",
        seconds(lambda: requests(sim, client)) / REQUESTS * 1e3,
        "ms",
    )
    ruleset = services()
    ruleset.trace("10.244.1.2", address(0), 80)  # builds the index
    where = address(SERVICES - 1)
    first = seconds(lambda: ruleset.trace("10.244.1.2", address(0), 80))
    last = seconds(lambda: ruleset.trace("10.244.1.2", where, 80))
    yield Row("trace to the last of 10,000 Services", last * 1e3, "ms", "to the first", first * 1e3)
    text = str(ruleset)
    yield Row("read a rule", seconds(lambda: parse(text)) / SERVICES * 1e6, "us")
    yield Row("memory of a Pod's namespace", bytes_kept(node_of_pods) / PODS, "B")


def two_nodes() -> tuple[Simulation, NetNamespace]:
    """Return a Pod on one node; the Service's only endpoint is on the other."""
    sim = Simulation()
    segment = Segment(sim)
    pods = []
    for number, other in ((1, 2), (2, 1)):
        node = NetNamespace(sim, f"node-{number}")
        node.ip_forward = True
        node.add_ethernet("eth0", segment, f"172.18.0.{number + 1}/16")
        gateway = f"172.18.0.{other + 1}"
        node.routes.add(Route(destination=f"10.244.{other}.0/24", device="eth0", gateway=gateway))
        pods.append(add_pod(node, node.add_bridge("cni0", f"10.244.{number}.1/24"), number, 2))
        node.iptables_restore(RULES, noflush=True)
    sim.spawn(serve(pods[1]), "server")
    return sim, pods[0]


def add_pod(node: NetNamespace, bridge: Bridge, number: int, host: int) -> NetNamespace:
    """Return a new Pod's namespace, plugged in."""
    pod = NetNamespace(node.sim, f"pod-{number}-{host}")
    outside, inside = veth_pair(node, f"veth{host}", pod, "eth0")
    inside.add_address(f"10.244.{number}.{host}/24")
    pod.routes.add(Route(destination="default", device="eth0", gateway=f"10.244.{number}.1"))
    bridge.attach(outside)
    return pod


async def serve(pod: NetNamespace) -> None:
    """Answer one message for each connection."""
    listener = pod.listen("0.0.0.0", 8080)
    while True:
        connection = await listener.accept()
        await connection.send(await connection.recv())
        connection.close()


def requests(sim: Simulation, client: NetNamespace) -> None:
    """Connect, ask, hear and close, again and again."""

    async def ask() -> None:
        for _ in range(REQUESTS):
            connection = await client.connect(CLUSTER_IP, 80)
            await connection.send(b"GET / HTTP/1.1")
            await connection.recv()
            connection.close()

    sim.complete(ask(), "client", timeout=1e6)


def address(number: int) -> str:
    """Return the ClusterIP of a Service."""
    return f"10.{100 + number // 65536}.{number // 256 % 256}.{number % 256}"


def services() -> Ruleset:
    """Return the rules of many Services with one endpoint each."""
    ruleset = Ruleset()
    ruleset.ensure_rule("nat", "PREROUTING", "-j KUBE-SERVICES")
    ruleset.replace_chain(
        "nat",
        "KUBE-SERVICES",
        [
            f"-d {address(number)}/32 -p tcp -m comment --comment ns/web-{number} "
            "-m tcp --dport 80 -j KUBE-SEP"
            for number in range(SERVICES)
        ],
    )
    target = "-p tcp -m tcp -j DNAT --to-destination 10.244.2.2:8080"
    ruleset.replace_chain("nat", "KUBE-SEP", [target])
    return ruleset


def node_of_pods() -> NetNamespace:
    """Return a node full of Pods that listen."""
    node = NetNamespace(Simulation(), "node")
    bridge = node.add_bridge("cni0", "10.244.1.1/24")
    for host in range(2, PODS + 2):
        add_pod(node, bridge, 1, host).listen("0.0.0.0", 80)
    return node
