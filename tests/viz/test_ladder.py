"""The journey of a request, hop by hop, with the rule that sent it there."""

from types import SimpleNamespace

import pytest

from k8slab.linux.journey import Hop, Visit
from k8slab.linux.packet import Packet
from k8slab.viz import journey_figure
from k8slab.viz.ladder import first_exchange, reason
from tests.viz.legibility import faults

CLIENT, VIP, POD = "10.244.1.5", "10.96.7.20", "10.244.2.9"
SYN = Packet("tcp", CLIENT, VIP, 40000, 80, flags="SYN")
SENT = Packet("tcp", CLIENT, POD, 40000, 80, flags="SYN")
BACK = Packet("tcp", POD, CLIENT, 80, 40000, flags="SYN,ACK")
SEEN = Packet("tcp", VIP, CLIENT, 80, 40000, flags="SYN,ACK")
DNAT = Visit(
    "nat",
    "KUBE-SEP-X",
    1,
    f'-A KUBE-SEP-X -m comment --comment "default/web" -j DNAT --to-destination {POD}:80',
)
REJECT = Visit("filter", "KUBE-SERVICES", 0, f"-A KUBE-SERVICES -d {VIP}/32 -j REJECT")


def hop(direction: str, namespace: str, point: str, before, after=None, rules=()) -> Hop:
    return Hop(time=1.0, direction=direction, namespace=namespace, point=point, before=before,
               after=after or before, rules=rules)  # fmt: skip


def answer(*hops: Hop, outcome: str = "answered") -> SimpleNamespace:
    return SimpleNamespace(
        source="pod/client", url="http://web", outcome=outcome, status=0, hops=list(hops)
    )


THERE_AND_BACK = (
    hop("request", "default/client", "SOCKET", SYN),
    hop("request", "worker-1", "PREROUTING", SYN, SENT, (DNAT,)),
    hop("request", "worker-2", "FORWARD", SENT),
    hop("request", "default/web-x2k9p", "SOCKET", SENT),
    hop("reply", "default/web-x2k9p", "SOCKET", BACK),
    hop("reply", "worker-1", "PREROUTING", BACK, SEEN),
    hop("reply", "default/client", "SOCKET", SEEN),
)


def test_the_ladder_tells_each_hop_and_the_rule() -> None:
    figure = journey_figure(answer(*THERE_AND_BACK))
    lines = figure.text.splitlines()
    assert lines[2] == f"  -> worker-1 PREROUTING: tcp {CLIENT}:40000 > {VIP}:80 SYN"
    assert lines[3] == f"       now tcp {CLIENT}:40000 > {POD}:80 SYN"
    assert lines[4] == f"       -A KUBE-SEP-X -j DNAT --to-destination {POD}:80"
    assert "by the conntrack entry" in figure.text
    assert "7 hops, 2 with a rewrite" in figure.alt


def test_the_ladder_can_be_read() -> None:
    assert faults(journey_figure(answer(*THERE_AND_BACK)).drawing) == []


def test_only_the_first_packet_and_its_answer_are_drawn() -> None:
    hops = [*THERE_AND_BACK, *THERE_AND_BACK]
    assert first_exchange(hops) == list(THERE_AND_BACK)
    assert "and 7 further hops" in journey_figure(answer(*hops)).text
    assert "further" not in journey_figure(answer(*hops), whole=True).text


def test_a_refusal_names_its_rule() -> None:
    refused = hop("request", "worker-1", "OUTPUT", SYN, rules=(REJECT,))
    assert reason(refused) == REJECT.text
    assert "refused" in journey_figure(answer(refused, outcome="refused")).alt


def test_a_journey_without_hops_says_so() -> None:
    with pytest.raises(ValueError, match="no hops"):
        journey_figure(answer())
