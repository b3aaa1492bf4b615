"""The rule debugger: what it shows was looked at, edits have effects, undo takes them back."""

import pytest

from k8slab import Cluster
from k8slab.viz import rule_debugger
from k8slab.viz.rule_walk import chains_of, target_of, walked
from k8slab.viz.widgets.rule_debugger import DROPPED, OUTSIDE, PLAIN, REFUSED, REWRITTEN
from tests.viz import legibility


@pytest.fixture(scope="module")
def cluster():
    lab = Cluster(workers=2, seed=7)
    lab.kubectl("create deployment web --image=nginx --replicas=3")
    lab.kubectl("expose deployment web --port=80")
    lab.kubectl("create service clusterip ghost --tcp=80")
    lab.run(8)
    return lab


@pytest.fixture
def live(cluster):
    widget = rule_debugger(cluster)
    to(widget, "web")
    return widget


def to(widget, name: str) -> None:
    widget.turn(to=next(o for o in widget.dials["to"].options if o.startswith(f"{name} ")))


def without(widget, words: str) -> None:
    lines = widget.values["rules"].splitlines()
    widget.turn(rules="\n".join(line for line in lines if words not in line))


@pytest.mark.parametrize("node", ["worker-1", "control-plane"])
def test_the_lines_are_all_that_netfilter_looks_at(cluster, node) -> None:
    text = cluster.node(node).shell("iptables-save")
    chains = chains_of(text)
    for service in cluster.view.list("services"):
        for source in ("10.244.1.9", "10.244.2.2", "192.168.10.11", "8.8.8.8"):
            for port in service.spec.ports:
                trace = cluster.trace_rules(
                    text,
                    source,
                    service.spec.clusterIP,
                    port.port,
                    protocol=port.protocol.lower(),
                    local=("192.168.10.11",),
                )
                for branch in trace.branches:
                    assert len(walked(chains, branch.visited)) == branch.examined


@pytest.mark.parametrize(
    ("rule", "target"),
    [
        ("-A X -j DROP", "DROP"),
        ("-A X -p tcp -g OTHER", "OTHER"),
        ("-A X -m comment --comment a", ""),
        ("-A X -j", ""),
    ],
)
def test_the_target_of_a_rule(rule, target) -> None:
    assert target_of(rule) == target


def test_three_pods_are_three_ways(live) -> None:
    said = live.guess(end=REWRITTEN, ways="3")
    assert said.startswith("Right: it is rewritten to a Pod. 3 ways: right.")
    assert said.count("1/3 rewritten to 10.244.") == 3


def test_a_service_without_pods_is_refused(live) -> None:
    to(live, "ghost")
    assert live.guess(end=REFUSED, ways="1").startswith(f"Right: it is {REFUSED}. 1 way: right.")
    live.to_the_end()
    assert "-j REJECT" in live.text.splitlines()[-2]


def test_a_client_outside_is_masqueraded(live) -> None:
    live.turn(source=OUTSIDE)
    assert "as if from 192.168.10.11" in live.guess(end=REWRITTEN, ways="3")


def test_stepping_goes_line_by_line_and_stops_at_the_ends(live) -> None:
    live.guess(end=REWRITTEN, ways="3")
    live.line_back()
    assert live.place == 1
    live.next_line()
    assert live.said.startswith("Line 2 of ")
    live.to_the_end()
    live.next_line()
    assert live.place == len(live.lines)
    assert "The end: rewritten to" in live.said


def test_the_dice_can_fall_otherwise(live) -> None:
    live.guess(end=REWRITTEN, ways="3")
    ends = []
    for _ in range(3):
        live.other_dice()
        ends.append(live.said)
    assert len(set(ends)) == 3


def test_an_edit_has_its_effect_and_undo_takes_it_back(live) -> None:
    live.guess(end=REWRITTEN, ways="3")
    without(live, "0.33333")
    assert "2 ways: right" in live.guess(end=REWRITTEN, ways="2")
    live.undo()
    assert "0.33333" in live.values["rules"]
    assert "3 ways: right" in live.guess(end=REWRITTEN, ways="3")
    live.undo()
    assert live.said == "There is no edit to take back."


def test_a_deleted_service_rule_leaves_the_packet_as_it_is(live) -> None:
    without(live, "default/web cluster IP")
    assert live.guess(end=PLAIN, ways="1").startswith("Right: it is accepted as it is.")


def test_a_drop_is_a_silence(live) -> None:
    rules = live.values["rules"].replace("-j KUBE-FORWARD", "-j DROP")
    live.turn(rules=rules)
    assert live.guess(end=DROPPED, ways="3").startswith(f"Right: it is {DROPPED}.")


def test_a_text_that_iptables_would_refuse_is_told_and_can_be_undone(live) -> None:
    live.turn(rules="nonsense")
    assert "line 1 failed" in live.guess(end=REWRITTEN, ways="3")
    live.undo()
    assert live.values["rules"].startswith("*nat")


def test_another_node_brings_its_own_rules(live) -> None:
    assert live.box
    live._controls["node"].value = "control-plane"
    assert "These are the rules of control-plane." in live.said


def test_a_pasted_text_is_walked(cluster) -> None:
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 "
        "-j DNAT --to-destination 1.2.3.4:6443\nCOMMIT"
    )
    live = rule_debugger(cluster, rules=text)
    to(live, "kubernetes")
    assert "1 rewritten to 1.2.3.4:6443" in live.guess(end=REWRITTEN, ways="1")


def test_nothing_is_stepped_before_a_packet_is_sent(live) -> None:
    live.next_line()
    assert live.said.startswith("Send a packet first.")
    live.other_dice()
    assert live.said.startswith("Send a packet first.")


def test_the_node_keeps_its_rules(live, cluster) -> None:
    before = cluster.node("worker-1").shell("iptables-save")
    without(live, "KUBE-SEP")
    live.guess(end=PLAIN, ways="1")
    assert cluster.node("worker-1").shell("iptables-save") == before


def test_every_letter_can_be_read(live) -> None:
    before = live.figure()
    live.guess(end=REWRITTEN, ways="3")
    live.to_the_end()
    for figure in (before, live.figure()):
        assert legibility.faults(figure.drawing) == []
