from __future__ import annotations

from k8slab.linux.netfilter import Body, Ruleset
from k8slab.linux.packet import Packet

PACKET = Packet("tcp", "10.244.1.2", "10.96.0.10", 40000, 80, flags="SYN")


def two_rulesets() -> tuple[Ruleset, Ruleset]:
    body, rulesets = Body(["-j MARK --set-xmark 0x1/0x1"]), (Ruleset(), Ruleset())
    for ruleset in rulesets:
        ruleset.replace_chain("nat", "WEB", body)
    return rulesets


def test_nodes_hold_one_chain_until_a_packet_passes() -> None:
    one, two = two_rulesets()
    assert one.chain("nat", "WEB") is two.chain("nat", "WEB")


def test_a_packet_on_one_node_is_not_counted_on_the_other() -> None:
    one, two = two_rulesets()
    chain = one.tables["nat"].chains["WEB"]
    for place in (0, 0, -1):  # the walk may hold the chain as it was before the first packet
        one.tables["nat"].count(chain, place, PACKET.length)
    assert "[2:80] -A WEB" in one.save(counters=True)
    assert ":WEB - [1:40]" in one.save(counters=True)
    assert "[2:80] -A WEB" not in two.save(counters=True)
    assert ":WEB - [0:0]" in two.save(counters=True)


def test_a_restored_counter_is_not_the_other_nodes() -> None:
    one, two = two_rulesets()
    one.restore("*nat\n[7:70] -A WEB -j RETURN\nCOMMIT\n", noflush=True)
    assert "[7:70] -A WEB -j RETURN" in one.save(counters=True)
    assert "7:70" not in two.save(counters=True)


def test_the_chain_of_another_name_is_another() -> None:
    ruleset, body = Ruleset(), Body(["-j RETURN"])
    for name in ("ONE", "TWO"):
        ruleset.replace_chain("nat", name, body)
    assert "-A ONE -j RETURN\n-A TWO -j RETURN\n" in ruleset.save("nat")
