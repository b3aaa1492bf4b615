"""A cluster whose kube-proxy writes nftables: the same answers by other rules."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.cluster.conftest import WEB


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    made = Cluster(workers=2, seed=7, proxy_mode="nftables")
    made.apply(WEB)
    made.run_until("deployment/web available")
    made.run_until("pod/client ready")
    made.run(3)
    return made


def test_names_and_services_answer_and_the_journey_shows_the_map(cluster: Cluster) -> None:
    answers = [cluster.request("pod/client", "http://web") for _ in range(12)]
    assert all(answer.ok for answer in answers)
    assert len({answer.served_by for answer in answers}) == 3
    assert any("vmap @service-ips" in rule.text for rule in answers[0].rules)


def test_a_wrong_port_is_refused_and_not_lost(cluster: Cluster) -> None:
    answer = cluster.request("pod/client", "http://web:81")
    assert answer.outcome == "refused"
    assert "Service web has no port 81" in str(cluster.why(answer))


def test_a_nodes_shell_lists_the_table(cluster: Cluster) -> None:
    listed = cluster.node("worker-1").shell("nft list ruleset")
    assert listed.startswith("table ip kube-proxy {")
    assert "KUBE-SERVICES" not in cluster.node("worker-1").shell("iptables-save")


def test_kube_proxy_says_which_mode_it_is_in_and_what_it_did(cluster: Cluster) -> None:
    assert cluster.request("node/worker-1", "http://localhost:10249/proxyMode").body == "nftables"
    said = cluster.request("node/worker-1", "http://localhost:10249/metrics").body
    assert 'kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1' in said


def test_a_flush_by_hand_is_undone_and_lives_on_in_a_fork() -> None:
    made = Cluster(workers=1, seed=7)
    made.apply(WEB)
    made.run_until("deployment/web available")
    made.run_until("pod/client ready")
    for table in ("mangle", "nat", "filter"):
        made.node("worker-1").shell(f"iptables -t {table} -F")
        made.node("worker-1").shell(f"iptables -t {table} -X")
    again = made.fork()
    for each in (made, again):
        address = each.kubectl("get svc web -o jsonpath={.spec.clusterIP}")
        assert not each.request("pod/client", f"http://{address}", timeout=2).ok
        each.run(31)
        assert each.request("pod/client", f"http://{address}").ok


def test_nftables_tell_who_pings_a_cluster_ip_that_its_port_is_unreachable(
    cluster: Cluster,
) -> None:
    address = cluster.kubectl("get svc web -o jsonpath={.spec.clusterIP}")
    said = cluster.node("worker-1").shell(f"ping -c 1 {address}")
    assert "From 192.168.10.11 icmp_seq=1 Destination Port Unreachable" in said
    silent = cluster.kubectl(f"exec client -- ping -c 1 -W 1 {address}")
    assert "1 packets transmitted, 0 packets received, 100% packet loss" in silent
    assert "nreachable" not in silent  # busybox reads no errors


def test_a_fork_is_of_the_same_mode(cluster: Cluster) -> None:
    child = cluster.fork()
    assert "kube-proxy" in child.node("worker-1").shell("nft list tables")


def test_a_mode_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="one of iptables, nftables, got 'ipvs'"):
        Cluster(proxy_mode="ipvs", boot=False)


def test_ipvs_in_the_config_map_ends_kube_proxy_with_a_word_on_its_future() -> None:
    made = Cluster(workers=0, seed=7)
    text = str(made.kubectl("get configmap kube-proxy -n kube-system -o yaml"))
    made.apply(text.replace("mode: iptables", "mode: ipvs"))
    pod = made.kubectl("get pods -n kube-system -l k8s-app=kube-proxy -o name").split("/")[-1]
    made.kubectl(f"delete pod {pod.strip()} -n kube-system")
    made.run(30)
    logs = made.kubectl("logs -n kube-system -l k8s-app=kube-proxy")
    assert "deprecated since v1.35" in logs
