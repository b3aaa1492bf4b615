"""The loop against a real API server, on a machine without wires."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from k8slab.api import load
from k8slab.api.core import Event
from k8slab.client import Client, Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.linux.links import Segment
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.node.kube_proxy import Config, Proxier
from k8slab.node.machine import Machine
from k8slab.sim import Group, Simulation
from tests.node.kube_proxy.objects import POD, endpoint, endpoint_slice, service


class Lab:
    """An API server, and a kube-proxy that works with it."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        etcd = Endpoint()
        etcd.serve(Etcd(self.sim, Backend()))
        self.server = APIServer(self.sim, etcd)
        self.server.start()
        self.group = Group("kube-proxy")
        self.machine = Machine(
            self.sim, "node-1", NetNamespace(self.sim, "node-1"), cpu=1000, memory=1 << 30
        )
        self.client = Client(self, "you")
        self.do(self.client.create(_namespace("default")))

    async def request(self, request: Request) -> Any:
        await self.sim.sleep(0.001)
        return self.server.handle(request)

    def do(self, coroutine: Any) -> Any:
        return self.sim.complete(coroutine, "you", 10.0)

    def start(self, **options: Any) -> Proxier:
        proxier = Proxier(self.sim, Client(self, "kube-proxy"), self.machine, **options)
        self.sim.spawn(proxier.run(), "kube-proxy", self.group)
        return proxier

    def run(self, seconds: float) -> None:
        self.sim.run(self.sim.now + seconds)

    def destinations(self, address: str) -> list[str]:
        trace = self.machine.net.ruleset.trace(POD, address, 80)
        return [str(each) for each in trace.destinations if trace.translated]

    def table(self, address: str) -> str:
        """Return where nftables send a Pod's connection, or what else becomes of it."""
        trace = self.machine.net.nft.trace(POD, address, 80)
        first = next((each for each in trace.destinations if trace.translated), None)
        return str(first or trace.verdict)


def _namespace(name: str) -> Any:
    return load({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def placed(obj: Any) -> Any:
    meta = msgspec.structs.replace(obj.metadata, namespace="default")
    return msgspec.structs.replace(obj, metadata=meta)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def expose(lab: Lab, *ips: str) -> tuple[str, Any]:
    """Create the Service web with these endpoints; returns its address and its slice."""
    svc = lab.do(lab.client.create(placed(service(clusterIP=""))))
    slices = endpoint_slice(*(endpoint(ip) for ip in ips))
    return svc.spec.clusterIP, lab.do(lab.client.create(placed(slices)))


def test_services_become_rules_and_rules_follow_endpoints(lab: Lab) -> None:
    lab.start()
    address, slices = expose(lab, "10.244.1.2")
    lab.run(3)
    assert lab.destinations(address) == ["10.244.1.2:8080"]
    new = placed(endpoint_slice(endpoint("10.244.1.3"))).endpoints
    lab.do(lab.client.update(msgspec.structs.replace(slices, endpoints=new)))
    lab.run(3)
    assert lab.destinations(address) == ["10.244.1.3:8080"]


def test_when_kube_proxy_stops_the_rules_stay_and_no_longer_change(lab: Lab) -> None:
    lab.start()
    address, slices = expose(lab, "10.244.1.2")
    lab.run(3)
    lab.group.kill()
    lab.do(lab.client.delete(type(slices), slices.metadata.name, "default"))
    lab.run(60)
    assert lab.destinations(address) == ["10.244.1.2:8080"]
    lab.start()
    lab.run(3)
    assert lab.destinations(address) == []


def test_changes_within_a_second_are_written_together(lab: Lab) -> None:
    lab.start()
    lab.run(5)
    _, slices = expose(lab, "10.244.1.2")
    for last in range(3, 8):
        new = placed(endpoint_slice(endpoint(f"10.244.1.{last}"))).endpoints
        slices = lab.do(lab.client.update(msgspec.structs.replace(slices, endpoints=new)))
        lab.run(0.1)
    lab.run(5)
    syncs = [record for record in lab.sim.trace if record.verb == "sync"]
    assert len(syncs) == 3  # at the start, at the first change, at all others


def test_a_sync_knows_the_write_that_caused_it(lab: Lab) -> None:
    lab.start()
    lab.run(5)
    expose(lab, "10.244.1.2")
    lab.run(5)
    sync = [record for record in lab.sim.trace if record.verb == "sync"][-1]
    assert sync.component == "kube-proxy/node-1"
    assert lab.sim.trace.why(sync.id)[1].subject == "Service/default/web"


def test_nothing_happens_while_nothing_changes(lab: Lab) -> None:
    lab.start()
    lab.run(7200)  # its own Event has been forgotten, too
    before = lab.sim.events
    lab.run(86400)
    assert lab.sim.events == before


def test_headless_services_are_not_even_watched(lab: Lab) -> None:
    lab.start()
    headless = placed(service("db", clusterIP="None"))
    labels = {"service.kubernetes.io/headless": ""}
    meta = msgspec.structs.replace(headless.metadata, labels=labels)
    lab.do(lab.client.create(msgspec.structs.replace(headless, metadata=meta)))
    lab.run(3)
    assert "db" not in str(lab.machine.net.ruleset)


def test_a_learners_render_replaces_ours(lab: Lab) -> None:
    seen = []

    def render(services: Any, slices: Any, *, node: Any, config: Config) -> str:
        seen.append([svc.metadata.name for svc in services])
        rule = "-A KUBE-SERVICES -p tcp -j DNAT --to-destination 10.244.7.7:80"
        jump = "-A PREROUTING -j KUBE-SERVICES"
        return f"*nat\n:KUBE-SERVICES - [0:0]\n{jump}\n{rule}\nCOMMIT\n"

    lab.start(render=render)
    address, _ = expose(lab, "10.244.1.2")
    lab.run(5)
    assert seen[-1] == ["web"]
    assert lab.destinations(address) == ["10.244.7.7:80"]
    assert len(lab.machine.net.ruleset.rules("nat", "PREROUTING")) == 1


def test_in_nftables_mode_services_become_a_table_and_addresses_of_none_are_dropped(
    lab: Lab,
) -> None:
    lab.start(config=Config(mode="nftables"))
    address, slices = expose(lab, "10.244.1.2")
    lab.run(3)
    assert lab.table(address) == "10.244.1.2:8080"
    assert lab.destinations(address) == []
    new = placed(endpoint_slice(endpoint("10.244.1.3"))).endpoints
    lab.do(lab.client.update(msgspec.structs.replace(slices, endpoints=new)))
    lab.run(3)
    assert lab.table(address) == "10.244.1.3:8080"
    assert lab.table("10.96.99.99") == "ACCEPT"
    cidr = {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12"]}}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR"}
    lab.do(lab.client.create(load(kind | cidr)))
    lab.run(3)
    assert lab.table("10.96.99.99") == "DROP"


def test_who_starts_in_another_mode_takes_the_rules_of_the_first_away(lab: Lab) -> None:
    lab.start()
    address, _ = expose(lab, "10.244.1.2")
    lab.run(3)
    lab.machine.net.ruleset.ensure_rule("nat", "POSTROUTING", "-j MASQUERADE")
    for mode, there in (
        ("nftables", ["", "10.244.1.2:8080"]),
        ("iptables", ["10.244.1.2:8080", ""]),
    ):
        lab.group.kill()
        lab.group = Group("kube-proxy")
        lab.start(config=Config(mode=mode))
        lab.run(3)
        found = [*lab.destinations(address), ""][0]
        table = lab.machine.net.nft.tables and lab.table(address)
        assert [found, table or ""] == there
    lab.group.kill()
    lab.group = Group("kube-proxy")
    lab.start(config=Config(mode="nftables"))
    lab.run(3)
    assert (
        str(lab.machine.net.ruleset).count("\n-A ") == 4
    )  # a stranger's; KUBE-FIREWALL and its jumps


def test_udp_flows_to_an_endpoint_that_is_gone_are_forgotten(lab: Lab) -> None:
    net = lab.machine.net
    net.add_ethernet("eth0", Segment(lab.sim), "192.168.10.11/24")
    net.routes.add(Route(destination="default", device="eth0", gateway="192.168.10.1"))
    lab.start()
    udp = [{"port": 53, "protocol": "UDP"}]
    svc = lab.do(lab.client.create(placed(service(clusterIP="", ports=udp))))
    first = placed(endpoint_slice(endpoint("10.244.1.2"), ports=udp))
    slices = lab.do(lab.client.create(first))
    lab.run(3)
    net.udp(port=5353).send_to(b"?", svc.spec.clusterIP, 53)
    assert "src=10.244.1.2" in net.conntrack.list()
    new = placed(endpoint_slice(endpoint("10.244.1.3"))).endpoints
    lab.do(lab.client.update(msgspec.structs.replace(slices, endpoints=new)))
    lab.run(3)
    assert net.conntrack.list() == ""


def test_it_tells_of_its_start_at_the_node(lab: Lab) -> None:
    lab.start()
    lab.run(5)
    (event,) = lab.do(lab.client.list(Event)).items
    assert (event.involvedObject.kind, event.involvedObject.name) == ("Node", "node-1")
    assert (event.reason, event.source.component) == ("Starting", "kube-proxy")
