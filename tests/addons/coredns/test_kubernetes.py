from __future__ import annotations

import pytest

from k8slab.addons.coredns import Config, answer
from k8slab.api import load
from tests.addons.coredns.objects import SERVICES, SLICES, ask, data

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
        (f"_http._tcp.out.{SVC}", "SRV"),
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
