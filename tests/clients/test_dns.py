"""A real DNS client, over real sockets, asks the cluster's own DNS server."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import suppress

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from k8slab import Cluster
from k8slab.gateway.dns import Address

NAMES = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.96.0.77, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: default}
spec: {type: ExternalName, externalName: example.com}
"""
TRIES = 5
DAMAGED = 150
WEB = "web.default.svc.cluster.local."


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Cluster, Address]]:
    cluster = Cluster(workers=1, seed=7)
    cluster.apply(NAMES)
    cluster.world.upstream.records["example.com"] = ["203.0.113.99"]
    cluster.run(3)
    with cluster.serve_dns() as address:
        yield cluster, address


def ask(address: Address, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, address.host, timeout=5, port=address.port)


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        (WEB, "A", f"{WEB} 30 IN A 10.96.0.77"),
        (f"_http._tcp.{WEB}", "SRV", f"_http._tcp.{WEB} 30 IN SRV 0 100 80 {WEB}"),
        ("77.0.96.10.in-addr.arpa.", "PTR", f"77.0.96.10.in-addr.arpa. 30 IN PTR {WEB}"),
        ("example.com.", "A", "example.com. 30 IN A 203.0.113.99"),
    ],
)
def test_names_have_their_records(
    served: tuple[Cluster, Address], name: str, kind: str, text: str, tcp: bool
) -> None:
    assert text in ask(served[1], name, kind, tcp=tcp).to_text()


def test_an_alias_leads_out_of_the_cluster(served: tuple[Cluster, Address]) -> None:
    answers = [str(item) for rrset in ask(served[1], f"alias.{WEB[4:]}").answer for item in rrset]
    assert answers == ["example.com.", "203.0.113.99"]


def test_what_does_not_exist_and_what_has_no_such_record(served: tuple[Cluster, Address]) -> None:
    missing = ask(served[1], f"nobody.{WEB[4:]}")
    assert missing.rcode() == dns.rcode.NXDOMAIN
    no_data = ask(served[1], WEB, "AAAA")
    assert (no_data.rcode(), no_data.answer) == (dns.rcode.NOERROR, [])
    assert no_data.authority


def test_several_questions_on_one_connection(served: tuple[Cluster, Address]) -> None:
    with socket.create_connection(served[1], timeout=5) as connection:
        for kind in ("A", "AAAA"):
            query = dns.message.make_query(WEB, kind)
            dns.query.send_tcp(connection, query)
            answer, _ = dns.query.receive_tcp(connection)
            assert answer.id == query.id


def test_noise_is_not_answered_and_hurts_nobody(served: tuple[Cluster, Address]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy:
        for noise in (b"", b"\x00", b"GET / HTTP/1.1\r\n\r\n", bytes(600)):
            noisy.sendto(noise, served[1])
    with socket.create_connection(served[1], timeout=5) as connection:
        connection.sendall(b"\x00\x05hello")
        assert connection.recv(10) == b""
    assert ask(served[1], WEB).answer


def test_a_damaged_question_is_answered_as_such_or_not_at_all(
    served: tuple[Cluster, Address],
) -> None:
    dice = random.Random(7)
    seen: dict[str, int] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(served[1])
        client.settimeout(0.3)
        for number in range(DAMAGED):
            query = dns.message.make_query(WEB, "SRV", id=number, use_edns=0)
            wire = bytearray(query.to_wire())
            for _ in range(dice.randrange(1, 4)):
                wire[dice.randrange(2, len(wire))] = dice.randrange(256)
            if wire[2] & 0x80:
                continue  # an answer: nobody answers that
            client.send(wire[: dice.randrange(12, len(wire) + 1)])
            answer = client.recv(4096)
            found = dns.message.from_wire(answer, ignore_trailing=True, raise_on_truncation=False)
            assert found.id == number
            rcode = dns.rcode.to_text(found.rcode())
            seen[rcode] = seen.get(rcode, 0) + 1
    assert {"FORMERR", "NXDOMAIN", "NOTIMP"} <= set(seen)
    assert ask(served[1], WEB).answer


def test_a_resolver_finds_the_service(served: tuple[Cluster, Address]) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [served[1].host], served[1].port
    assert [item.to_text() for item in resolver.resolve(WEB, "A")] == ["10.96.0.77"]


def test_time_passes_only_for_the_answers(served: tuple[Cluster, Address]) -> None:
    before = served[0].now
    ask(served[1], WEB)
    assert 0 < served[0].now - before < 0.1


def test_without_coredns_nobody_answers() -> None:
    cluster = Cluster(workers=1, seed=7)
    cluster.kubectl("scale deployment coredns -n kube-system --replicas=0")
    cluster.run(60)
    with cluster.serve_dns() as address:
        query = dns.message.make_query(WEB, "A")
        with pytest.raises(dns.exception.Timeout):
            dns.query.udp(query, address.host, timeout=0.3, port=address.port)


def test_the_port_is_free_afterwards() -> None:
    cluster = Cluster(workers=0, seed=7, boot=False)
    for _ in range(TRIES):  # another program of this machine may take the port meanwhile
        with cluster.serve_dns() as address:
            pass
        with suppress(OSError), cluster.serve_dns(address.port) as again:
            assert again == address
            return
    pytest.fail(f"none of {TRIES} ports could be used again")
