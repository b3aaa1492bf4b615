"""The program in a network namespace, asked over the wire."""

from __future__ import annotations

from typing import Any

import dns.message
import pytest

from k8slab.addons import manifests
from k8slab.addons.coredns import CoreDNS
from k8slab.api import load, load_all
from k8slab.api.core import Service
from k8slab.client import Client, Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.linux.links import veth_pair
from k8slab.linux.netns import NetNamespace
from k8slab.linux.resolver import lookup
from k8slab.sim import Simulation
from tests.addons.coredns.objects import service
from tests.addons.coredns.site import Container

SERVER, CLIENT = "10.244.1.2", "10.244.1.3"
RESOLV_CONF = f"nameserver {SERVER}\nsearch default.svc.cluster.local svc.cluster.local\n"


def corefile() -> str:
    objects = load_all(manifests.text("coredns"))
    return next(obj.data["Corefile"] for obj in objects if obj.kind == "ConfigMap")


class Lab:
    """An API server, a namespace with CoreDNS and one with a client, joined by a cable."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        etcd = Endpoint()
        etcd.serve(Etcd(self.sim, Backend()))
        self.api = APIServer(self.sim, etcd)
        self.api.start()
        self.online = True
        net = NetNamespace(self.sim, "coredns-1")
        self.net = NetNamespace(self.sim, "client")
        one, two = veth_pair(net, "eth0", self.net, "eth0")
        one.add_address(f"{SERVER}/24")
        two.add_address(f"{CLIENT}/24")
        self.container = Container(self.sim, net)
        self.container.disk.write("/etc/coredns/Corefile", corefile())
        self.container.disk.write("/etc/resolv.conf", "nameserver 203.0.113.53\n")
        self.world: dict[str, list[str]] = {"example.com": ["203.0.113.7"]}
        self.client = Client(self, "you")
        self.create("Namespace", "default")

    async def request(self, request: Request) -> Any:
        from k8slab.client import ConnectionFailed

        await self.sim.sleep(0.001)
        if not self.online:
            raise ConnectionFailed("refused")
        return self.api.handle(request)

    def create(self, kind: str, name: str) -> None:
        obj = load({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})
        self.sim.complete(self.client.create(obj), "you", 5)

    def start(self) -> Any:
        program = CoreDNS(self.container, Client(self, "coredns"), self.world)
        task = self.sim.spawn(program.run(), "coredns", self.container.group)
        self.run(1)
        return task

    def run(self, seconds: float) -> None:
        self.sim.run(self.sim.now + seconds)

    def resolve(self, name: str) -> Any:
        return self.sim.complete(lookup(self.net, name, RESOLV_CONF), "client", 60)

    def ask(self, name: str, qtype: str = "A") -> Any:
        query = dns.message.make_query(name, qtype)

        async def exchange() -> bytes:
            socket = self.net.udp()
            socket.send_to(query.to_wire(), SERVER, 53)
            wire, _ = await socket.recv_from(2)
            return wire

        return dns.message.from_wire(self.sim.complete(exchange(), "client", 5))

    def get(self, port: int, path: str) -> str:
        async def exchange() -> bytes:
            connection = await self.net.connect(SERVER, port, timeout=1)
            await connection.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = await connection.recv(1)
            connection.close()
            return answer

        return self.sim.complete(exchange(), "client", 5).decode()


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_service_has_a_name_as_soon_as_it_exists(lab: Lab) -> None:
    lab.start()
    assert lab.resolve("web").error == "Name or service not known"
    lab.sim.complete(lab.client.create(service("web", ports=[{"port": 80}])), "you", 5)
    lab.run(1)
    svc = lab.sim.complete(lab.client.get(Service, "web", "default"), "you", 5)
    assert lab.resolve("web").addresses == (svc.spec.clusterIP,)


def test_answers_about_the_cluster_are_authoritative_and_short_lived(lab: Lab) -> None:
    lab.start()
    response = lab.ask("nope.default.svc.cluster.local")
    assert "AA" in dns.flags.to_text(response.flags)
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert response.authority[0].ttl == 30


def test_other_names_are_asked_outside_and_cached(lab: Lab) -> None:
    lab.start()
    began = lab.sim.now
    assert lab.resolve("example.com").addresses == ("203.0.113.7",)
    took = lab.sim.now - began
    lab.world["example.com"] = ["203.0.113.8"]
    began = lab.sim.now
    assert lab.resolve("example.com").addresses == ("203.0.113.7",)
    assert lab.sim.now - began < took
    lab.run(31)
    assert lab.resolve("example.com").addresses == ("203.0.113.8",)


def test_an_external_name_is_followed_to_its_address(lab: Lab) -> None:
    lab.start()
    out = service("out", type="ExternalName", externalName="example.com")
    lab.sim.complete(lab.client.create(out), "you", 5)
    lab.run(1)
    assert lab.resolve("out").addresses == ("203.0.113.7",)


def test_tcp_answers_several_questions_on_one_connection(lab: Lab) -> None:
    lab.start()
    query = dns.message.make_query("example.com", "A").to_wire()
    framed = len(query).to_bytes(2, "big") + query

    async def exchange() -> list[bytes]:
        connection = await lab.net.connect(SERVER, 53, timeout=1)
        await connection.send(framed + framed)
        return [await connection.recv(1), await connection.recv(1)]

    for wire in lab.sim.complete(exchange(), "client", 5):
        assert dns.message.from_wire(wire[2:]).answer[0][0].address == "203.0.113.7"


def test_it_is_ready_only_once_it_knows_the_cluster(lab: Lab) -> None:
    lab.online = False
    lab.start()
    lab.run(6)
    assert "starting server with unsynced Kubernetes API" in "\n".join(lab.container.lines)
    assert "503 Service Unavailable" in lab.get(8181, "/ready")
    assert "200 OK" in lab.get(8080, "/health")
    assert lab.ask("web.default.svc.cluster.local").rcode() == dns.rcode.SERVFAIL
    lab.online = True
    lab.run(60)
    assert "200 OK" in lab.get(8181, "/ready")


def test_it_serves_on_while_it_is_a_lame_duck(lab: Lab) -> None:
    task = lab.start()
    lab.container.terminated.set()
    lab.run(4)
    assert lab.resolve("example.com").addresses == ("203.0.113.7",)
    assert "200 OK" in lab.get(8080, "/health")
    assert "503 Service Unavailable" in lab.get(8181, "/ready")
    lab.run(2)
    assert task.result() == 0
    with pytest.raises(Exception, match="timed out"):
        lab.ask("example.com")


def test_a_corefile_that_cannot_be_read_ends_it_with_the_line(lab: Lab) -> None:
    lab.container.disk.write("/etc/coredns/Corefile", ".:53 {\n eror\n}")
    assert lab.start().result() == 1
    assert "Corefile:2 - Error during parsing: Unknown directive 'eror'" in lab.container.lines[0]


def test_a_changed_corefile_is_read_again(lab: Lab) -> None:
    lab.start()
    lab.container.disk.write("/etc/coredns/Corefile", corefile().replace("errors", "errors\n log"))
    lab.run(40)
    lab.ask("example.com")
    assert "[INFO] Reloading complete" in lab.container.lines
    assert (
        '"A IN example.com. udp 29 false 512" NOERROR qr,rd,ra 56 0.02' in lab.container.lines[-1]
    )


def test_its_first_words_are_those_of_coredns(lab: Lab) -> None:
    lab.start()
    words = [line.partition(" SHA512")[0] for line in lab.container.lines]
    assert words[:3] == [".:53", "[INFO] plugin/reload: Running configuration", "CoreDNS-1.14.6"]


STUB = """
.:53 {
    errors
    forward . 203.0.113.53
}
corp.example:53 {
    errors
    log . {
        class denial
    }
    hosts corp.example {
        10.1.2.3 intra.corp.example
        fallthrough
    }
    rewrite name www.corp.example intra.corp.example
    forward lab.corp.example 127.0.0.1:5353
}
lab.corp.example:5353 {
    hosts {
        10.9.9.9 a.lab.corp.example
    }
}
"""


def test_zones_have_servers_of_their_own(lab: Lab) -> None:
    lab.container.disk.write("/etc/coredns/Corefile", STUB)
    lab.start()
    found = {
        name: [r.address for rrset in lab.ask(name).answer for r in rrset]
        for name in ("example.com", "www.corp.example", "a.lab.corp.example")
    }
    assert found == {
        "example.com": ["203.0.113.7"],
        "www.corp.example": ["10.1.2.3"],
        "a.lab.corp.example": ["10.9.9.9"],
    }
    assert lab.ask("nobody.corp.example").rcode() == dns.rcode.SERVFAIL
    (line,) = [line for line in lab.container.lines if "nobody" in line]
    assert line.endswith("2 nobody.corp.example. A: plugin/forward: no next plugin found")


def test_a_server_that_does_not_answer_is_told_and_the_next_one_asked(lab: Lab) -> None:
    text = ".:53 {\n errors\n forward . 127.0.0.1:99 MORE {\n policy sequential\n }\n}"
    lab.container.disk.write("/etc/coredns/Corefile", text.replace("MORE", ""))
    lab.start()
    assert lab.ask("example.com").rcode() == dns.rcode.SERVFAIL
    (line,) = [line for line in lab.container.lines if "[ERROR]" in line]
    assert "plugin/errors: 2 example.com. A: read udp 127.0.0.1:" in line
    assert line.endswith("->127.0.0.1:99: read: connection refused")
    lab = Lab()
    lab.container.disk.write("/etc/coredns/Corefile", text.replace("MORE", "203.0.113.53"))
    lab.start()
    assert lab.ask("example.com").answer


def test_a_server_that_asks_itself_finds_out_and_ends(lab: Lab) -> None:
    lab.container.disk.write("/etc/resolv.conf", "nameserver 127.0.0.53\n")
    task = lab.start()
    lab.run(3)
    assert task.result() == 1
    (line,) = [line for line in lab.container.lines if "[FATAL]" in line]
    assert line.startswith("[FATAL] plugin/loop: Loop (127.0.0.1:")
    assert ' -> :53) detected for zone ".", see https://coredns.io/plugins/loop#trouble' in line


def test_a_corefile_that_became_wrong_changes_nothing(lab: Lab) -> None:
    lab.start()
    lab.container.disk.write("/etc/coredns/Corefile", corefile().replace("ready", "raedy"))
    lab.run(40)
    words = "/etc/coredns/Corefile:6 - Error during parsing: Unknown directive 'raedy'"
    told = f"[ERROR] plugin/reload: Corefile changed but reload failed: {words}"
    assert told in lab.container.lines
    assert lab.resolve("example.com").addresses == ("203.0.113.7",)
    assert "200 OK" in lab.get(8181, "/ready")


def test_a_server_answers_only_where_it_is_bound(lab: Lab) -> None:
    lab.container.disk.write("/etc/coredns/Corefile", ".:53 {\n bind 10.244.1.9\n whoami\n}")
    assert lab.start().result() == 1
    assert lab.container.lines == [
        "Listen: listen tcp 10.244.1.9:53: bind: cannot assign requested address"
    ]
    lab = Lab()
    lab.container.disk.write("/etc/coredns/Corefile", f".:53 {{\n bind {SERVER}\n whoami\n}}")
    lab.start()
    assert lab.container.lines[0] == f".:53 on {SERVER}"
    assert lab.ask("example.com").additional


def test_what_the_program_says_of_itself_has_its_own_pages(lab: Lab) -> None:
    lab.start()
    for _ in range(2):
        lab.ask("example.com")
    metrics = lab.get(9153, "/metrics")
    assert 'coredns_dns_responses_total{type="A",rcode="NOERROR"} 2' in metrics
    assert 'coredns_cache_hits_total{type="success"} 1' in metrics
    assert "404 Not Found" in lab.get(8080, "/ready")
