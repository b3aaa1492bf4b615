from __future__ import annotations

import pytest
from msgspec.structs import replace

from k8slab.addons.coredns import Config, answer
from k8slab.api import load
from tests.addons.coredns.objects import SERVICES, SLICES, ask, data, slice_of

SVC = "default.svc.cluster.local"


@pytest.mark.parametrize(
    ("name", "qtype", "expected"),
    [
        (f"web.{SVC}", "A", ["10.96.1.2"]),
        (f"web.{SVC}.", "A", ["10.96.1.2"]),
        (f"WEB.{SVC}", "A", ["10.96.1.2"]),
        (f"dual.{SVC}", "AAAA", ["fd00::3"]),
        (f"db.{SVC}", "A", ["10.244.1.5", "10.244.1.6"]),
        (f"peers.{SVC}", "A", ["10.244.2.5"]),
        (f"db-0.db.{SVC}", "A", ["10.244.1.5"]),
        (f"10-244-1-6.db.{SVC}", "A", ["10.244.1.6"]),
        (f"10-244-1-9.web.{SVC}", "A", ["10.244.1.9"]),
        (f"out.{SVC}", "A", ["example.com."]),
        (f"out.{SVC}", "CNAME", ["example.com."]),
        (f"alias.{SVC}", "A", [f"web.{SVC}.", "10.96.1.2"]),
        ("10-244-1-5.default.pod.cluster.local", "A", ["10.244.1.5"]),
        ("2.1.96.10.in-addr.arpa", "PTR", [f"web.{SVC}."]),
        ("5.1.244.10.in-addr.arpa", "PTR", [f"db-0.db.{SVC}."]),
        ("6.1.244.10.in-addr.arpa", "PTR", [f"10-244-1-6.db.{SVC}."]),
        ("dns-version.cluster.local", "TXT", ['"1.1.0"']),
        (f"_http._tcp.web.{SVC}", "SRV", [f"0 100 80 web.{SVC}."]),
        (f"_dns._udp.web.{SVC}", "SRV", [f"0 100 53 web.{SVC}."]),
        (f"_sql._tcp.db.{SVC}", "SRV",
         [f"0 50 5432 db-0.db.{SVC}.", f"0 50 5432 10-244-1-6.db.{SVC}."]),
    ],
)  # fmt: skip
def test_names_have_the_records_of_the_dns_specification(
    name: str, qtype: str, expected: list[str]
) -> None:
    found = ask(name, qtype)
    assert (found.rcode, data(found)) == ("NOERROR", expected)


@pytest.mark.parametrize(
    ("name", "qtype"),
    [
        (f"nope.{SVC}", "A"),
        ("web.other.svc.cluster.local", "A"),
        (f"empty.{SVC}", "A"),  # headless without a ready endpoint
        (f"10-244-1-7.db.{SVC}", "A"),  # not ready
        (f"db-1.db.{SVC}", "A"),
        (f"_http._udp.web.{SVC}", "SRV"),
        (f"_nope._tcp.web.{SVC}", "SRV"),
        (f"a.b.c.web.{SVC}", "A"),
        ("web.default.pod.cluster.local", "A"),
        ("web.cluster.local", "A"),
        ("9.9.96.10.in-addr.arpa", "PTR"),
        ("pod-name.default.pod.cluster.local", "A"),
    ],
)
def test_other_names_do_not_exist(name: str, qtype: str) -> None:
    found = ask(name, qtype)
    assert found.rcode == "NXDOMAIN"
    assert found.authority[0].type == "SOA"


@pytest.mark.parametrize(
    ("name", "qtype"),
    [
        (f"web.{SVC}", "AAAA"),
        (f"web.{SVC}", "MX"),
        (f"web.{SVC}", "TXT"),
        (f"db.{SVC}", "AAAA"),
        (SVC, "A"),
        ("svc.cluster.local", "A"),
        ("cluster.local", "A"),
        (f"loop.{SVC}", "A"),
    ],
)
def test_a_name_without_such_a_record_is_nodata(name: str, qtype: str) -> None:
    found = ask(name, qtype)
    assert found.is_nodata
    assert str(found.authority[0]) == (
        "cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. "
        "0 7200 1800 86400 30"
    )


SPECIFICATION = [
    # 2.2 the schema version
    ("dns-version.cluster.local", "TXT", "NOERROR", ['"1.1.0"']),
    ("dns-version.cluster.local", "A", "NXDOMAIN", []),
    # 2.3 Services with a ClusterIP
    (f"web.{SVC}", "A", "NOERROR", ["10.96.1.2"]),
    (f"dual.{SVC}", "A", "NOERROR", ["10.96.1.3"]),
    (f"dual.{SVC}", "AAAA", "NOERROR", ["fd00::3"]),
    (f"_http._tcp.dual.{SVC}", "SRV", "NOERROR", [f"0 50 80 dual.{SVC}."]),
    (f"web.{SVC}", "SRV", "NOERROR", [f"0 50 80 web.{SVC}.", f"0 50 53 web.{SVC}."]),
    (f"_http._tcp.web.{SVC}", "A", "NOERROR", ["10.96.1.2"]),
    (f"_HTTP._TCP.web.{SVC}", "SRV", "NOERROR", [f"0 100 80 web.{SVC}."]),
    (f"_http._tcp.web.{SVC}", "PTR", "NOERROR", []),
    ("2.1.96.10.in-addr.arpa", "PTR", "NOERROR", [f"web.{SVC}."]),
    ("2.1.96.10.in-addr.arpa", "A", "NXDOMAIN", []),
    (f"{'.'.join(reversed('fd000000000000000000000000000003'))}.ip6.arpa", "PTR", "NOERROR",
     [f"dual.{SVC}."]),
    # 2.4 headless Services: only what is ready
    (f"db.{SVC}", "A", "NOERROR", ["10.244.1.5", "10.244.1.6"]),
    (f"empty.{SVC}", "A", "NXDOMAIN", []),
    (f"empty.{SVC}", "AAAA", "NXDOMAIN", []),
    (f"db-0.db.{SVC}", "A", "NOERROR", ["10.244.1.5"]),
    (f"db-0.db.{SVC}", "AAAA", "NOERROR", []),
    (f"db-0.db.{SVC}", "SRV", "NOERROR", [f"0 100 5432 db-0.db.{SVC}."]),
    (f"peers.{SVC}", "SRV", "NOERROR", []),  # no ports, no SRV record, but the name is there
    (f"_x._tcp.peers.{SVC}", "SRV", "NXDOMAIN", []),
    ("7.1.244.10.in-addr.arpa", "PTR", "NXDOMAIN", []),  # it is not ready
    # 2.5 ExternalName
    (f"out.{SVC}", "A", "NOERROR", ["example.com."]),
    (f"out.{SVC}", "AAAA", "NOERROR", ["example.com."]),
    (f"out.{SVC}", "SRV", "NOERROR", []),
    (f"_http._tcp.out.{SVC}", "SRV", "NOERROR", []),
    (f"a.out.{SVC}", "A", "NXDOMAIN", []),
    (f"number.{SVC}", "A", "NXDOMAIN", []),  # an address is no name
    # 2.6 deprecated names of Pods
    ("10-244-1-5.default.pod.cluster.local", "A", "NOERROR", ["10.244.1.5"]),
    ("fd00--5.default.pod.cluster.local", "AAAA", "NOERROR", ["fd00::5"]),
    ("10-244-1-5.default.pod.cluster.local", "AAAA", "NOERROR", []),
    ("300-244-1-5.default.pod.cluster.local", "A", "NXDOMAIN", []),
    # names that only have others below them, and the zones themselves
    ("cluster.local", "A", "NOERROR", []),
    ("svc.cluster.local", "SRV", "NOERROR", []),
    ("pod.cluster.local", "A", "NOERROR", []),
    (SVC, "AAAA", "NOERROR", []),
    ("default.pod.cluster.local", "A", "NOERROR", []),
    ("in-addr.arpa", "PTR", "NOERROR", []),
    ("96.10.in-addr.arpa", "PTR", "NXDOMAIN", []),
    # what CoreDNS does where the specification is silent
    (f"*.{SVC}", "A", "NXDOMAIN", []),  # wildcards are gone
    (f"*.web.{SVC}", "A", "NXDOMAIN", []),
    (f"nope.{SVC}", "TXT", "NOERROR", []),
    (f"web.{SVC}", "SOA", "NOERROR", []),
    (f"web.{SVC}", "NS", "NOERROR", []),
    (f"web.{SVC}", "ANY", "NOERROR", []),
    (f"nope.{SVC}", "ANY", "NXDOMAIN", []),
    (f"nope.{SVC}", "HTTPS", "NXDOMAIN", []),
    ("cluster.local", "AXFR", "REFUSED", []),
    ("ns.dns.cluster.local", "A", "NOERROR", ["10.96.0.10"]),
    ("ns.dns.cluster.local", "MX", "NOERROR", []),
    ("cluster.local", "NS", "NOERROR", ["kube-dns.kube-system.svc.cluster.local."]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "qtype", "rcode", "expected"), SPECIFICATION)
def test_the_specification_line_by_line(
    name: str, qtype: str, rcode: str, expected: list[str]
) -> None:
    server = ("kube-dns.kube-system.svc", "10.96.0.10")
    found = ask(name, qtype, config=Config(servers=(server,)))
    assert (found.rcode, data(found)) == (rcode, expected)
    assert bool(found.authority) == (not expected and rcode != "REFUSED")


def test_the_zone_has_a_soa_and_its_server_with_glue() -> None:
    config = Config(servers=(("ns.dns", "10.244.0.2"),), serial=7, ttl=400)
    (soa,) = ask("cluster.local", "SOA", config=config).answers
    names = "ns.dns.cluster.local. hostmaster.cluster.local."
    assert str(soa) == f"cluster.local. 300 IN SOA {names} 7 7200 1800 86400 400"
    found = ask("cluster.local", "NS", config=config)
    assert (data(found), [str(each) for each in found.additional]) == (
        ["ns.dns.cluster.local."],
        ["ns.dns.cluster.local. 400 IN A 10.244.0.2"],
    )


def test_an_address_of_several_services_points_to_all_of_them() -> None:
    again = slice_of("peers", [{"addresses": ["10.244.1.5"]}], [])
    again = replace(again, metadata=replace(again.metadata, name="peers-2"))
    found = answer(
        "5.1.244.10.in-addr.arpa", "PTR", services=SERVICES, endpoint_slices=[*SLICES, again]
    )
    assert data(found) == [f"db-0.db.{SVC}.", f"10-244-1-5.peers.{SVC}."]


def test_endpoints_that_are_not_served_have_no_pointers() -> None:
    for config in (Config(endpoints=False), Config(namespaces=("shop",))):
        assert ask("5.1.244.10.in-addr.arpa", "PTR", config=config).rcode == "NXDOMAIN"


def test_srv_brings_the_addresses_of_its_targets_along() -> None:
    found = ask(f"_sql._tcp.db.{SVC}", "SRV")
    assert [record.data for record in found.additional] == ["10.244.1.5", "10.244.1.6"]


def test_a_namespace_that_does_not_exist_has_no_names() -> None:
    known = ["default"]
    assert ask("other.svc.cluster.local", namespaces=known).rcode == "NXDOMAIN"
    assert ask("10-244-1-5.other.pod.cluster.local", namespaces=known).rcode == "NXDOMAIN"


def test_names_of_other_domains_are_none_of_its_business() -> None:
    assert ask("kubernetes.io").rcode == "REFUSED"


@pytest.mark.parametrize(
    ("mode", "ip", "rcode"),
    [
        ("verified", "10-244-1-5", "NOERROR"),
        ("verified", "10-244-1-6", "NXDOMAIN"),
        ("disabled", "10-244-1-5", "NXDOMAIN"),
        ("insecure", "10-244-1-6", "NOERROR"),
    ],
)
def test_pod_names_exist_as_the_corefile_says(mode: str, ip: str, rcode: str) -> None:
    pod = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a", "namespace": "default"},
            "status": {"podIP": "10.244.1.5"},
        }
    )
    found = answer(
        f"{ip}.default.pod.cluster.local",
        "A",
        services=SERVICES,
        endpoint_slices=SLICES,
        pods=[pod],
        config=Config(pods=mode),
    )
    assert found.rcode == rcode


def test_another_cluster_domain_has_the_same_names() -> None:
    config = Config(zones=("example.org.",), ttl=5)
    found = ask("web.default.svc.example.org", config=config)
    assert str(found.answers[0]) == "web.default.svc.example.org. 5 IN A 10.96.1.2"
