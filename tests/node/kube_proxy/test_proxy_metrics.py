"""What kube-proxy says of its work at 127.0.0.1:10249."""

from __future__ import annotations

from k8slab.linux.commands import shell
from k8slab.node import http
from k8slab.node.kube_proxy import clean
from k8slab.node.kube_proxy.proxy_metrics import PORT
from tests.node.kube_proxy.test_monitor import Watched, expose_another, flush


def get(lab: Watched, path: str, port: int = PORT) -> http.Response:
    if not lab.machine.net.sockets.listeners.get(PORT):
        lab.sim.spawn(lab.proxier.serve_metrics(), "metrics", lab.group)
        lab.run(0)
    request = http.Request("GET", path, {"Host": "localhost"})
    answer: http.Response = lab.do(http.request(lab.machine.net, "127.0.0.1", port, request))
    return answer


def metrics(lab: Watched) -> dict[str, float]:
    lines = get(lab, "/metrics").text.splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name.removeprefix("kubeproxy_"): float(value) for name, _, value in samples}


def test_the_mode_can_be_asked_for() -> None:
    assert get(Watched(), "/proxyMode").text == "iptables"
    assert get(Watched("nftables"), "/proxyMode").text == "nftables"
    assert get(Watched(), "/nonsense").status == 404


def test_changes_and_syncs_are_counted() -> None:
    lab = Watched()
    before = metrics(lab)
    expose_another(lab)
    after = metrics(lab)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["sync_proxy_rules_service_changes_total"] == 1
    assert grown["sync_proxy_rules_endpoint_changes_total"] == 0
    assert grown['sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"}'] == 0
    assert grown['sync_partial_proxy_rules_duration_seconds_count{ip_family="IPv4"}'] == 1
    queued = after['sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"}']
    written = after['sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"}']
    assert 0 < written - queued < 1


def test_the_rules_are_those_that_are_there() -> None:
    lab = Watched()
    shell(lab.machine.net, "iptables -A FORWARD -j ACCEPT")  # somebody else's
    saved = lab.on_node("iptables-save -t nat")
    ours = [line for line in saved.splitlines() if line.startswith("-A") and "KUBE-" in line]
    found = metrics(lab)
    assert found['sync_proxy_rules_iptables_total{ip_family="IPv4",table="nat"}'] == len(ours)
    assert found['sync_proxy_rules_iptables_total{ip_family="IPv4",table="filter"}'] > 10


def test_failures_and_health_checks_are_counted() -> None:
    lab = Watched()
    flush(lab, "nat")
    expose_another(lab)
    name = 'sync_proxy_rules_iptables_partial_restore_failures_total{ip_family="IPv4"}'
    assert metrics(lab)[name] == 1
    lab.sim.spawn(lab.proxier.health.run(), "health", lab.group)
    assert get(lab, "/livez", 10256).status == 200
    assert get(lab, "/healthz", 10256).status == 503  # the node is not there
    found = metrics(lab)
    assert found['proxy_livez_total{code="200"}'] == found['proxy_healthz_total{code="503"}'] == 1


def test_cleanup_leaves_nothing_of_either_mode() -> None:
    for mode in ("iptables", "nftables"):
        lab = Watched(mode)
        lab.group.kill()
        shell(lab.machine.net, "iptables -A FORWARD -j ACCEPT")
        clean(lab.machine.net)
        rules = lab.on_node("iptables-save") + lab.on_node("nft list ruleset")
        assert "-A FORWARD -j ACCEPT" in rules
        assert [line for line in rules.splitlines() if "kube" in line.lower()] == [
            *([":KUBE-FIREWALL - [0:0]"] if mode == "iptables" else []),
            *(line for line in rules.splitlines() if "KUBE-FIREWALL" in line and line[0] == "-"),
        ]
