"""The resolv.conf of Pods."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.core import Pod
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.node.kubelet import resolv_conf
from k8slab.node.kubelet.dns import PodDNS, host_limits, pod_dns

HOST = ResolvConf(("192.168.10.1",), ("corp.example",), ("timeout:2",))
CLUSTER = {"cluster_dns": ("10.96.0.10",), "cluster_domain": "cluster.local"}
ENDINGS = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example")


def pod(**spec: Any) -> Pod:
    meta = {"name": "p", "namespace": "shop"}
    spec = {"containers": [{"name": "c"}], **spec}
    loaded = load({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    assert isinstance(loaded, Pod)
    return loaded


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ResolvConf(("10.96.0.10",), ENDINGS, ("ndots:5",))),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, HOST),
        (
            {"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True},
            ResolvConf(("10.96.0.10",), ENDINGS, ("ndots:5",)),
        ),
        ({"dnsPolicy": "Default"}, HOST),
        ({"dnsPolicy": "None"}, ResolvConf()),
    ],
)
def test_each_dns_policy(spec: dict[str, Any], expected: ResolvConf) -> None:
    assert resolv_conf(pod(**spec), HOST, **CLUSTER) == expected  # type: ignore[arg-type]


def test_dns_config_is_appended_and_its_options_win() -> None:
    config = {
        "nameservers": ["1.1.1.1"],
        "searches": ["extra.example"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }
    found = resolv_conf(pod(dnsConfig=config), HOST, **CLUSTER)  # type: ignore[arg-type]
    assert found.nameservers == ("10.96.0.10", "1.1.1.1")
    assert found.searches == (*ENDINGS, "extra.example")
    assert found.options == ("ndots:2", "edns0")


def test_a_fourth_nameserver_is_cut_with_a_warning() -> None:
    config = {"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]}
    found = pod_dns(pod(dnsPolicy="None", dnsConfig=config), HOST, **CLUSTER)  # type: ignore[arg-type]
    assert found.conf.nameservers == ("1.1.1.1", "2.2.2.2", "3.3.3.3")
    assert found.warnings == (
        "Nameserver limits were exceeded, some nameservers have been omitted, "
        "the applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3",
    )


def test_the_thirty_third_search_path_is_cut() -> None:
    config = {"searches": [f"s{number}.example" for number in range(40)]}
    found = pod_dns(pod(dnsPolicy="None", dnsConfig=config), HOST, **CLUSTER)  # type: ignore[arg-type]
    assert len(found.conf.searches) == 32
    assert found.warnings[0].startswith("Search Line limits were exceeded")


LONG = [f"{number}.company-with-a-{'long-' * 9}name.example" for number in range(10, 50)]


def searches(config: list[str]) -> PodDNS:
    own = {"searches": config, "nameservers": ["1.1.1.1"]}
    return pod_dns(pod(dnsPolicy="None", dnsConfig=own), HOST, **CLUSTER)  # type: ignore[arg-type]


def test_endings_of_more_than_2048_characters_are_cut_at_the_last_that_fits() -> None:
    found = searches(LONG)
    line = " ".join(found.conf.searches)
    assert len(line) <= 2048 < len(line) + 1 + len(LONG[len(found.conf.searches)])
    assert found.warnings == (
        "Search Line limits were exceeded, some search paths have been omitted, "
        f"the applied search line is: {line}",
    )


def test_an_ending_that_is_no_name_is_left_out_alone() -> None:
    found = searches(["a.example", "b" * 254, "c.example"])
    assert found.conf.searches == ("a.example", "c.example")
    assert len(found.warnings) == 1


def test_without_a_cluster_dns_pods_get_the_nodes_settings_and_events_say_so() -> None:
    found = pod_dns(pod(), HOST, cluster_dns=(), cluster_domain="cluster.local")
    assert found.conf == HOST
    (event,) = found.events
    words = (
        'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" '
        'policy. Falling back to "Default" policy.'
    )
    assert (event.reason, event.message, event.of_node) == (
        "MissingClusterDNS", f'pod: "p_shop()". {words}', words,
    )  # fmt: skip


def test_an_ending_with_a_dot_at_its_end_is_the_same_ending() -> None:
    host = ResolvConf.parse("search corp.example. corp.example .\n")
    assert resolv_conf(pod(), host, **CLUSTER).searches == ENDINGS  # type: ignore[arg-type]


def test_options_without_a_value_and_names_given_twice_are_there_once() -> None:
    config = {
        "nameservers": ["10.96.0.10"],
        "searches": ["svc.cluster.local"],
        "options": [{"name": "rotate"}, {"name": "rotate"}],
    }
    found = resolv_conf(pod(dnsConfig=config), HOST, **CLUSTER)  # type: ignore[arg-type]
    assert found == ResolvConf(("10.96.0.10",), ENDINGS, ("ndots:5", "rotate"))


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (["a.example"] * 29, ""),
        (
            ["a.example"] * 30,
            "Resolv.conf file '/etc/resolv.conf' contains search line consisting of more than "
            "29 domains!",
        ),
        (
            ["a" * 254],
            'Resolv.conf file "/etc/resolv.conf" contains a search path which length is more than '
            "allowed 253 chars!",
        ),
        (
            ["a" * 250] * 9,
            "Resolv.conf file '/etc/resolv.conf' contains search line which length is more than "
            "allowed 2048 chars!",
        ),
    ],
)
def test_a_node_may_have_more_than_its_pods_can_take(host: list[str], message: str) -> None:
    conf = ResolvConf((), tuple(host))
    assert host_limits(conf, "/etc/resolv.conf", "cluster.local") == message
