"""The resolv.conf of Pods."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.core import Pod
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.node.kubelet import resolv_conf
from k8slab.node.kubelet.dns import pod_dns

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
