"""IPv6 Services: the same decisions with longer addresses, and real ip6tables and nft take them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.node.kube_proxy import Config, nftables, render
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service

VIP, POD, OUTSIDE, NODE = "fd00:10:96::a", "fd00:10:244:1::9", "2001:db8::7", "fc00:f853::3"
CONFIG = Config(cluster_cidr="10.244.0.0/16,fd00:10:244::/56")
ENDS = ("fd00:10:244:1::2", "fd00:10:244:2::2")
NAMESPACE = f"k8slab-six-{os.getpid()}"


def web(**spec: Any) -> Service:
    ips = {"clusterIP": "10.96.1.2", "clusterIPs": ["10.96.1.2", VIP]}
    return service(**ips, ipFamilies=["IPv4", "IPv6"], **spec)


def slices(*ips: str) -> list[EndpointSlice]:
    """Return a slice of each family, as a dual-stack Service has."""
    six = endpoint_slice(*(endpoint(ip) for ip in ips), name="web-six")
    six = msgspec.structs.replace(six, addressType="IPv6")
    return [endpoint_slice(endpoint("10.244.1.2")), six]


@pytest.mark.parametrize("form", [render, nftables.render])
def test_each_family_has_rules_of_its_own(form: Any) -> None:
    four, six = (
        form([web()], slices(*ENDS), config=CONFIG, family=family) for family in ("IPv4", "IPv6")
    )
    assert [str(d) for d in four.trace("10.244.9.9", "10.96.1.2", 80).destinations] == [
        "10.244.1.2:8080"
    ]
    trace = six.trace(POD, VIP, 80, local_addresses=[NODE])
    assert [str(d) for d in trace.destinations] == [f"[{ip}]:8080" for ip in ENDS]
    assert not trace.masqueraded
    assert six.trace(OUTSIDE, VIP, 80, local_addresses=[NODE]).masqueraded
    assert six.trace(ENDS[0], VIP, 80, local_addresses=[NODE]).destinations[0].masqueraded


@pytest.mark.parametrize(
    ("form", "reason"), [(render, "icmp6-port-unreachable"), (nftables.render, "icmp6")]
)
def test_without_endpoints_of_the_family_it_is_refused(form: Any, reason: str) -> None:
    rules = form([web()], slices(), config=CONFIG, family="IPv6")
    trace = rules.trace(POD, VIP, 80)
    assert trace.verdict == "REJECT"
    assert trace.branches[0].reject_with.startswith(reason)


def test_a_service_without_an_address_of_the_family_has_no_rules() -> None:
    assert "KUBE-SVC-" not in str(render([service()], slices(*ENDS), family="IPv6"))


@pytest.fixture
def namespace() -> Iterator[list[str]]:
    tools = ("ip", "ip6tables-restore", "ip6tables-save", "nft")
    if os.geteuid() != 0 or not all(map(shutil.which, tools)):
        pytest.skip("needs root, ip, ip6tables and nft")
    if subprocess.run(["ip", "netns", "add", NAMESPACE], capture_output=True).returncode:
        pytest.skip("may not make network namespaces")
    yield ["ip", "netns", "exec", NAMESPACE]
    subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)


FRONT = {
    "type": "LoadBalancer",
    "ports": [{"port": 80, "nodePort": 30080}],
    "externalTrafficPolicy": "Local",
    "sessionAffinity": "ClientIP",
    "externalIPs": ["2001:db8::99", "203.0.113.7"],
    "loadBalancerSourceRanges": ["2001:db8::/32", "192.0.2.0/24"],
    "status": {"loadBalancer": {"ingress": [{"ip": "2001:db8::9"}, {"ip": "203.0.113.9"}]}},
}


def test_the_real_ip6tables_takes_the_text_and_gives_it_back(namespace: list[str]) -> None:
    text = str(render([web(**FRONT)], slices(*ENDS), config=CONFIG, family="IPv6", node="node-1"))
    run = subprocess.run(
        [*namespace, "ip6tables-restore"], input=text, text=True, capture_output=True
    )
    assert run.returncode == 0, run.stderr
    saved = subprocess.run([*namespace, "ip6tables-save"], capture_output=True, text=True).stdout
    theirs = [line for line in saved.splitlines() if not line.startswith("#")]
    assert sorted(theirs) == sorted(text.splitlines())


def test_the_real_nft_takes_the_table_and_lists_it_alike(namespace: list[str]) -> None:
    rules = nftables.render(
        [web(**FRONT)], slices(*ENDS), config=CONFIG, family="IPv6", node="node-1"
    )
    nft = [*namespace, "nft"]
    run = subprocess.run([*nft, "-f", "-"], input=str(rules), text=True, capture_output=True)
    assert run.returncode == 0, run.stderr
    listed = subprocess.run([*nft, "list", "ruleset"], capture_output=True, text=True).stdout
    assert unordered(listed) == unordered(rules.list())


def unordered(text: str) -> list[str]:
    """Return the lines sorted, for the kernel has its own order of elements."""
    lines = [line.strip().removeprefix("elements = { ") for line in text.splitlines()]
    return sorted(line.removesuffix(" }").removesuffix(",") for line in lines)
