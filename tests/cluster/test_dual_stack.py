"""A cluster of both families: addresses, Services, names, rules and answers of each."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Node, Pod, Service
from tests.cluster.conftest import WEB

FAMILIES = ("IPv4", "IPv6")
BOTH = """
apiVersion: v1
kind: Service
metadata: {name: both, namespace: default}
spec: {type: NodePort, selector: {app: web}, ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: six, namespace: default}
spec: {selector: {app: web}, ipFamilies: [IPv6], ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: default}
spec: {selector: {app: none}, ipFamilies: [IPv6], ports: [{port: 80}]}
"""
CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: default}
spec: {podSelector: {matchLabels: {app: web}}}
"""


@pytest.fixture(scope="module", params=["iptables", "nftables"])
def cluster(request: Any) -> Cluster:
    made = Cluster(workers=2, seed=7, ip_families=FAMILIES, proxy_mode=request.param)
    made.apply(WEB)
    made.apply(BOTH)
    made.run_until("deployment/web available")
    made.run_until("pod/client ready")
    made.run(3)
    return made


def ips(cluster: Cluster, name: str) -> tuple[str, ...]:
    found = cluster.view.get(Service, name)
    assert found is not None
    return found.spec.clusterIPs


def test_nodes_and_pods_have_an_address_of_each_family(cluster: Cluster) -> None:
    for kind in (Node, Pod):
        for obj in cluster.view.list(kind):
            addresses: Any = (
                [a.address for a in obj.status.addresses if a.type == "InternalIP"]  # type: ignore[attr-defined]
                if kind is Node
                else [own.ip for own in obj.status.podIPs]  # type: ignore[attr-defined]
            )
            assert [":" in ip for ip in addresses] == [False, True], obj.metadata.name
    ranges = [node.spec.podCIDRs for node in cluster.view.list(Node)]
    wanted = [f"fd00:10:244{n}::/64" for n in ("", ":1", ":2")]
    assert sorted(cidr for _, cidr in ranges) == sorted(wanted)


def test_a_service_of_both_families_answers_at_both_addresses(cluster: Cluster) -> None:
    four, six = ips(cluster, "both")
    for address in (four, f"[{six}]"):
        answers = [cluster.request("pod/client", f"http://{address}") for _ in range(12)]
        assert all(answer.ok for answer in answers)
        assert len({answer.served_by for answer in answers}) == 3
    assert cluster.request("node/worker-1", f"http://[{six}]").ok


def test_a_name_has_an_aaaa_record_and_an_ipv6_service_answers_to_it(cluster: Cluster) -> None:
    assert ":" in ips(cluster, "six")[0]
    text = cluster.kubectl("exec client -- nslookup six")
    assert f"Address: {ips(cluster, 'six')[0]}" in text
    assert cluster.kubectl("exec client -- wget -qO- http://six").strip().startswith("<!DOCTYPE")
    assert cluster.request("pod/client", "http://six").ok


def test_a_node_port_is_at_the_nodes_ipv6_address_too(cluster: Cluster) -> None:
    found = cluster.view.get(Service, "both")
    assert found is not None
    port = found.spec.ports[0].nodePort
    node = next(ip for ip in cluster.node("worker-1").net.local_addresses if ip.startswith("fc00"))
    assert cluster.request("outside", f"http://[{node}]:{port}").ok


def test_a_network_policy_holds_in_either_family(cluster: Cluster) -> None:
    child = cluster.fork()
    child.apply(CLOSED)
    child.run(1)
    for address in (ips(child, "both")[0], f"[{ips(child, 'both')[1]}]"):
        answer = child.request("pod/client", f"http://{address}", timeout=1)
        assert answer.outcome == "timed out"
        assert "closed" in str(child.why(answer))
    child.kubectl("delete networkpolicy closed")
    child.run(1)
    assert "KIND-NETPOL" not in child.node("worker-1").shell("ip6tables-save")
    assert child.request("pod/client", f"http://[{ips(child, 'six')[0]}]").ok


def test_without_endpoints_of_the_family_it_is_refused(cluster: Cluster) -> None:
    answer = cluster.request("pod/client", f"http://[{ips(cluster, 'empty')[0]}]")
    assert answer.outcome == "refused"
    assert "empty" in str(cluster.why(answer))


def test_tools_show_either_family(cluster: Cluster) -> None:
    node = cluster.node("worker-1")
    assert "fd00:10:244:2::/64 via fc00:f853:ccd:e793::c dev eth0" in node.shell("ip -6 route")
    six = f"{ips(cluster, 'six')[0]}"
    shown = node.shell("ip6tables-save") + node.shell("nft list tables")
    assert six in shown or "table ip6 kube-proxy" in shown
    pod = cluster.kubectl("exec client -- ip -6 addr")
    assert "inet6 fd00:10:244:" in pod
    assert "[fd00:10:244:2::2]:80" in cluster.kubectl("describe service six")
    listed = cluster.kubectl("get endpointslices")
    assert listed.count("IPv6") == 3


def test_pods_reach_the_world_with_the_nodes_address(cluster: Cluster) -> None:
    outside = cluster.world.outside()
    listener = outside.net.listen("::", 80)
    target = next(ip for ip in outside.net.local_addresses if ip.startswith("fc00"))
    cluster.request("pod/client", f"http://[{target}]", timeout=1)  # nobody answers it
    connection = cluster.sim.complete(listener.accept(), "accept", 5)
    assert connection.remote[0].startswith("fc00:f853:ccd:e793::")
    listener.close()


def test_a_fork_has_both_families() -> None:
    child = Cluster(workers=0, ip_families=FAMILIES).fork()
    assert "inet6 fc00:f853:ccd:e793::a/64" in child.node("control-plane").shell("ip addr")
    with pytest.raises(ValueError, match=r"ip_families are one of \('IPv4',\), \('IPv6',\), "):
        Cluster(ip_families=("IPv6", "IPv4"), boot=False)
