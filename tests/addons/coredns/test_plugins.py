"""Plugins one by one: rewrite, hosts, autopath, and what the Corefile says of kubernetes."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.addons.coredns import Config, answer
from k8slab.addons.coredns.corefile import parse
from k8slab.addons.coredns.plugins.autopath import candidates, search_path, told
from k8slab.addons.coredns.plugins.kubernetes import config_of
from k8slab.addons.coredns.plugins.rewrite import rewriting, rules_of
from k8slab.addons.coredns.records import NOERROR, SERVFAIL, Answer, Record
from tests.addons.coredns.objects import service, slice_of
from tests.addons.coredns.site import Served

WEB = "web.default.svc.cluster.local."


def block(text: str) -> Any:
    return parse(f".:53 {{\n{text}\n}}")[0]


@pytest.mark.parametrize(
    ("rule", "asked", "inside"),
    [
        ("name shop.example web.example", "shop.example.", "web.example."),
        ("name exact shop.example web.example", "a.shop.example.", "a.shop.example."),
        ("name prefix old- new-", "old-a.example.", "new-a.example."),
        ("name suffix .shop.example .example", "a.shop.example.", "a.example."),
        ("name substring east west", "a.east.example.", "a.west.example."),
        (r"name regex (.*)\.in\.example {1}.default.svc.cluster.local", "web.in.example.", WEB),
    ],
)
def test_a_name_is_asked_under_another(rule: str, asked: str, inside: str) -> None:
    found = rewriting(rules_of(block(f"rewrite {rule}").plugins), asked, "A")
    assert (found.name, found.asked) == (inside, asked)


def test_with_answer_auto_the_client_sees_its_own_name() -> None:
    plain, auto = (
        rewriting(rules_of(block(f"rewrite name suffix .a .b{tail}").plugins), "x.a.", "A")
        for tail in ("", " answer auto")
    )
    inner = Answer(NOERROR, (Record("x.b.", "A", 30, "10.0.0.1"),))
    assert plain.back(inner).answers[0].name == "x.b."
    assert auto.back(inner).answers[0].name == "x.a."


@pytest.mark.parametrize(
    ("rule", "asked", "inner", "outer"),
    [
        ("name suffix .a .b answer auto", "x.a.", "y.b. 30 IN CNAME z.b.", "y.a. 30 IN CNAME z.a."),
        ("name prefix a- b- answer auto", "a-x.", "b-x. 30 IN CNAME b-y.", "a-x. 30 IN CNAME a-y."),
        ("name exact a b answer auto", "a.", "b. 30 IN SRV 0 1 2 b.", "a. 30 IN SRV 0 1 2 a."),
        ("name exact a b answer value (.*)\\.in {1}.out", "a.", "b. 30 IN PTR x.in.",
         "b. 30 IN PTR x.out."),
    ],
)  # fmt: skip
def test_names_in_the_answer_are_turned_back_by_the_same_rule(
    rule: str, asked: str, inner: str, outer: str
) -> None:
    name, ttl, _, kind, data = inner.split(None, 4)
    found = rewriting(rules_of(block(f"rewrite {rule}").plugins), asked, "A")
    turned = found.back(Answer(NOERROR, (Record(name, kind, int(ttl), data),)))
    assert str(turned.answers[0]) == outer


def test_an_answer_is_turned_back_by_a_pattern() -> None:
    text = "rewrite {\n name regex (.*)\\.a {1}.b\n answer name (.*)\\.b {1}.a\n}"
    found = rewriting(rules_of(block(text).plugins), "x.a.", "A")
    assert found.back(Answer(NOERROR, (Record("x.b.", "A", 30, "::"),))).answers[0].name == "x.a."


def test_the_first_rule_that_matches_is_the_last_unless_it_goes_on() -> None:
    rules = "rewrite {} name a.example b.example\nrewrite name b.example c.example"
    names = [
        rewriting(rules_of(block(rules.format(action)).plugins), "a.example.", "A").name
        for action in ("stop", "continue")
    ]
    assert names == ["b.example.", "c.example."]


def test_types_and_ttls_are_rewritten() -> None:
    found = rewriting(rules_of(block("rewrite type ANY HINFO").plugins), "a.", "ANY")
    assert found.type == "HINFO"
    shorter = rewriting(rules_of(block("rewrite ttl suffix .a 7").plugins), "x.a.", "A")
    assert shorter.back(Answer(NOERROR, (Record("x.a.", "A", 300, "::"),))).answers[0].ttl == 7


HOSTS = ".:53 {\n hosts {\n 192.168.10.20 reg.example r\n fd00::2 reg.example\n ttl 60\n FALL\n}\n}"


def test_fixed_addresses_have_names_and_names_addresses() -> None:
    hosts = Served(HOSTS.replace("FALL", "fallthrough"))
    found = [hosts.ask("reg.example.", kind) for kind in ("A", "AAAA", "MX")]
    assert [str(record) for each in found for record in each.answers] == [
        "reg.example. 60 IN A 192.168.10.20",
        "reg.example. 60 IN AAAA fd00::2",
    ]
    assert hosts.data("20.10.168.192.in-addr.arpa.", "PTR") == ["reg.example.", "r."]


def test_without_fallthrough_other_names_end_at_the_hosts() -> None:
    hosts = Served(HOSTS.replace("FALL", "").replace("hosts", "errors\n hosts", 1))
    assert (hosts.ask("other."), hosts.lines) == (Answer(SERVFAIL), [])
    hosts = Served(HOSTS.replace("FALL", "fallthrough").replace("hosts", "errors\n hosts", 1))
    assert hosts.ask("other.") == Answer(SERVFAIL)
    assert hosts.lines == ["[ERROR] plugin/errors: 2 other. A: plugin/hosts: no next plugin found"]


def test_a_hosts_file_is_read_again_when_it_changes() -> None:
    hosts = Served(".:53 {\n hosts /etc/names example\n}", {"/etc/names": "10.0.0.1 a.example"})
    assert hosts.data("a.example.") == ["10.0.0.1"]
    hosts.container.disk.write("/etc/names", "10.0.0.2 a.example # moved")
    assert hosts.data("a.example.") == ["10.0.0.2"]


def test_a_search_path_is_walked_in_the_order_of_the_client() -> None:
    path = search_path("shop", "cluster.local.", ["corp.example"])
    assert candidates("a.b.shop.svc.cluster.local.", path) == (
        "a.b.shop.svc.cluster.local.",
        "a.b.svc.cluster.local.",
        "a.b.cluster.local.",
        "a.b.corp.example.",
        "a.b.",
    )
    assert candidates("a.b.", path) == candidates("web.default.svc.cluster.local.", path) == ()


def test_the_client_is_told_by_an_alias() -> None:
    found = told("x.shop.", "x.", Answer(NOERROR, (Record("x.", "A", 30, "203.0.113.1"),)))
    assert [str(record) for record in found.answers] == [
        "x.shop. 30 IN CNAME x.",
        "x. 30 IN A 203.0.113.1",
    ]


def says(config: Config, name: str = WEB) -> Answer:
    svc = service("web", clusterIP="10.96.1.1", ports=[{"port": 80}])
    return answer(name, "A", services=[svc], endpoint_slices=[], config=config)


@pytest.mark.parametrize(
    ("lines", "rcode"),
    [
        ("", "NOERROR"),
        ("namespaces default", "NOERROR"),
        ("namespaces shop", "NXDOMAIN"),
        ("labels app=other", "NXDOMAIN"),
        ("ignore empty_service", "NXDOMAIN"),
    ],
)
def test_the_corefile_says_which_services_have_names(lines: str, rcode: str) -> None:
    (stanza,) = block(f"kubernetes cluster.local {{\n{lines}\n}}").plugins
    config = config_of(stanza, ())
    assert says(config).rcode == rcode


@pytest.mark.parametrize(("namespace", "rcode"), [("default", "NOERROR"), ("shop", "NXDOMAIN")])
def test_namespaces_that_are_not_served_have_no_pods_either(namespace: str, rcode: str) -> None:
    config = Config(namespaces=("default",))
    assert says(config, f"10-244-1-2.{namespace}.pod.cluster.local.").rcode == rcode


def test_endpoints_may_be_called_as_their_pods_or_not_at_all() -> None:
    svc = service("web", clusterIP="None", ports=[{"port": 80}])
    pod = {"addresses": ["10.244.1.2"], "targetRef": {"kind": "Pod", "name": "web-0"}}
    slices = [slice_of("web", [pod], [{"port": 80}])]

    def rcode(name: str, **config: Any) -> str:
        found = answer(name, "A", services=[svc], endpoint_slices=slices, config=Config(**config))
        return found.rcode

    assert rcode(f"web-0.{WEB}", pod_names=True) == rcode(f"10-244-1-2.{WEB}") == "NOERROR"
    assert rcode(f"web-0.{WEB}") == rcode(WEB, endpoints=False) == "NXDOMAIN"
