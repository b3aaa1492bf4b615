"""Real dig asks the cluster, and the lab's own dig prints the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from k8slab import Cluster
from k8slab.gateway.dns import Address

DIG = shutil.which("dig")
SVC = "default.svc.cluster.local"
WEB = f"web.{SVC}"
OBJECTS = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.77, ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: example.com}
---
apiVersion: v1
kind: Service
metadata: {name: peers}
spec: {clusterIP: None, selector: {app: none}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: pair}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: pair-1, labels: {kubernetes.io/service-name: pair}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
- {addresses: [203.0.113.1], hostname: one, conditions: {ready: true}}
- {addresses: [203.0.113.2], conditions: {ready: true}}
---
apiVersion: v1
kind: Pod
metadata: {name: tools}
spec: {containers: [{name: tools, image: "nicolaka/netshoot:v0.13", command: [sleep, "86400"]}]}
"""
MANY = [f"203.0.113.{number}" for number in range(1, 100)]

pytestmark = pytest.mark.skipif(DIG is None, reason="dig is not installed (bind9-dnsutils)")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Cluster, Address]]:
    cluster = Cluster(workers=1, seed=7)
    cluster.kubectl("scale deployment coredns -n kube-system --replicas=1")  # of caches one
    cluster.apply(OBJECTS)
    records = cluster.world.upstream.records
    records["example.com"] = ["203.0.113.99"]
    records["many.example"] = MANY
    cluster.run_until("pod/tools ready")
    cluster.run(3)
    with cluster.serve_dns() as address:
        yield cluster, address


def dig(address: Address, words: str) -> tuple[str, int]:
    assert DIG is not None
    command = [DIG, f"@{address.host}", "-p", str(address.port), "+tries=1", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout, done.returncode


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (WEB, ["10.96.0.77"]),
        (f"{WEB} AAAA", []),
        (f"_http._tcp.{WEB} SRV", [f"0 100 80 {WEB}."]),
        (f"_http._tcp.pair.{SVC} SRV",
         [f"0 50 8080 203-0-113-2.pair.{SVC}.", f"0 50 8080 one.pair.{SVC}."]),
        (f"pair.{SVC}", ["203.0.113.1", "203.0.113.2"]),
        (f"one.pair.{SVC}", ["203.0.113.1"]),
        (f"peers.{SVC}", []),
        ("-x 10.96.0.77", [f"{WEB}."]),
        ("-x 203.0.113.1", [f"one.pair.{SVC}."]),
        ("dns-version.cluster.local TXT", ['"1.1.0"']),
        (f"alias.{SVC}", ["203.0.113.99", "example.com."]),
        (f"alias.{SVC} CNAME", ["example.com."]),
        ("example.com +tcp", ["203.0.113.99"]),
        ("many.example", sorted(MANY)),
        ("many.example +bufsize=512", sorted(MANY)),
        (f"{WEB.upper()} +noedns", ["10.96.0.77"]),
        ("cluster.local NS", ["kube-dns.kube-system.svc.cluster.local."]),
        (f"{WEB} ANY", []),
    ],
)  # fmt: skip
def test_short_answers(served: tuple[Cluster, Address], words: str, lines: list[str]) -> None:
    out, code = dig(served[1], f"+short {words}")
    assert (sorted(out.splitlines()), code) == (lines, 0)


@pytest.mark.parametrize(
    ("words", "status", "flags"),
    [
        (WEB, "NOERROR", "qr aa rd"),
        (f"{WEB} +norecurse", "NOERROR", "qr aa"),
        (f"nobody.{SVC}", "NXDOMAIN", "qr aa rd"),
        (f"{WEB} MX", "NOERROR", "qr aa rd"),
        ("nobody.example", "NXDOMAIN", "qr rd ra"),
        ("nobody.example", "NXDOMAIN", "qr aa rd ra"),  # from the cache
        (f"{WEB} +edns=1 +noednsneg", "BADVERS", "qr rd"),
        ("+opcode=UPDATE a.example", "NOTIMP", "qr rd"),
        ("CH TXT version.bind", "REFUSED", "qr rd ra"),
        ("HS A example.com", "REFUSED", "qr rd"),
        ("many.example +bufsize=512 +ignore", "NOERROR", "qr aa tc rd ra"),
    ],
)
def test_status_and_flags(
    served: tuple[Cluster, Address], words: str, status: str, flags: str
) -> None:
    if "tc" in flags:
        dig(served[1], "many.example")
    out, _ = dig(served[1], words)
    assert f"status: {status}," in out
    assert f";; flags: {flags};" in out
    assert "malformed" not in out


def test_a_zone_is_given_to_nobody(served: tuple[Cluster, Address]) -> None:
    assert "; Transfer failed." in dig(served[1], "cluster.local AXFR")[0]


CHANGING = (
    (r"DiG \S+ <<>> .*", "DiG"),
    (r"id: \d+", "id: N"),
    (r"COOKIE: [0-9a-f]{16}", "COOKIE"),
    (r"Query time: \d+", "Query time: N"),
    (r"SERVER: .*? \(", "SERVER ("),
    (r"WHEN: \w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}", "WHEN"),
    (r"\t\d{1,2}\tIN", "\tTTL\tIN"),
)


def settled(text: str) -> list[str]:
    """Return the lines without what differs from one run to the next."""
    for pattern, fixed in CHANGING:
        text = re.sub(pattern, fixed, text)
    return text.rstrip("\n").splitlines()


@pytest.mark.parametrize(
    "words",
    [
        WEB,
        f"{WEB} AAAA",
        f"nobody.{SVC}",
        f"_http._tcp.{WEB} SRV",
        f"+noedns {WEB}",
        f"+nocookie +norecurse {WEB}",
        f"+tcp {WEB}",
        f"+noall +answer {WEB}",
        f"+nocomments {WEB}",
        f"+short {WEB}",
        f"+nostats +noquestion alias.{SVC}",
        "-x 10.96.0.77",
        "-t SOA cluster.local",
        "cluster.local NS",
        "dns-version.cluster.local TXT",
        "example.com",
        *(f"{'n' * length}.example" for length in range(14, 26)),
        f"{'n' * 40}.example A",
        f"{WEB} ANY",
        "CH TXT version.bind",
        "+bufsize=512 +ignore +noanswer many.example",
    ],
)
def test_the_labs_own_dig_prints_the_same(served: tuple[Cluster, Address], words: str) -> None:
    cluster, address = served
    dig(address, words)  # so that both are answered from the cache
    theirs, code = dig(address, words)
    ours = cluster.kubectl(f"exec tools -- dig @10.96.0.10 +tries=1 {words}")
    assert (settled(ours), code) == (settled(theirs), 0)


def test_so_it_does_where_nobody_answers(served: tuple[Cluster, Address]) -> None:
    cluster = served[0]
    ours = cluster.kubectl("exec tools -- dig @10.96.0.10 -p 9 +tries=2 +time=1 x.example")
    theirs, code = dig(Address("127.0.0.1", 9), "+tries=2 +time=1 x.example")
    assert code == 9
    timed_out = theirs.replace("127.0.0.1#9: connection refused", "10.96.0.10#9: timed out")
    refused = theirs.replace("127.0.0.1#9", "10.96.0.10#9")
    assert settled(ours.partition("command terminated")[0]) in (
        settled(timed_out),
        settled(refused),
    )


@pytest.mark.parametrize(
    "words",
    [
        WEB,
        f"nobody.{SVC}",
        f"alias.{SVC}",
        "example.com",
        "10.96.0.77",
        f"-type=srv _http._tcp.{WEB}",
        "-type=txt dns-version.cluster.local",
        "-type=soa cluster.local",
        "-type=ns cluster.local",
        f"-type=mx {WEB}",
        f"peers.{SVC}",
    ],
)
def test_so_does_its_nslookup(served: tuple[Cluster, Address], words: str) -> None:
    cluster, address = served
    command = ["nslookup", f"-port={address.port}", *words.split(), address.host]
    cluster.kubectl(f"exec tools -- dig {words.split()[-1]}")  # so that both are from the cache
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    theirs = done.stdout.replace(f"{address.host}#{address.port}", "10.96.0.10#53")
    whole = words if words[0].isdigit() else f"{words}."
    ours = cluster.kubectl(f"exec tools -- nslookup {whole}").partition("command terminated")[0]
    assert ours.replace(".:", ":") == theirs.replace(address.host, "10.96.0.10")


def test_nslookup_uses_the_search_list_as_programs_do(served: tuple[Cluster, Address]) -> None:
    found = served[0].kubectl("exec tools -- nslookup web.default")
    assert f"Name:\t{WEB}\nAddress: 10.96.0.77\n" in found


def test_getent_finds_what_the_c_library_finds(served: tuple[Cluster, Address]) -> None:
    def getent(words: str) -> list[str]:
        return served[0].kubectl(f"exec tools -- getent {words}").splitlines()

    assert getent("hosts web") == [f"10.96.0.77      {WEB}"]
    assert getent("hosts alias") == [f"203.0.113.99    example.com alias.{SVC}"]
    assert getent("ahosts web") == [
        f"10.96.0.77      STREAM {WEB}",
        "10.96.0.77      DGRAM  ",
        "10.96.0.77      RAW    ",
    ]
    assert getent("hosts nobody") == ["command terminated with exit code 2"]
