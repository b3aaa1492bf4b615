"""nftables: its text, its walk, and its place beside iptables."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.linux.commands import CommandError, shell
from k8slab.linux.conntrack import Conntrack
from k8slab.linux.context import Context, RuleMemory
from k8slab.linux.netns import NetNamespace
from k8slab.linux.nft import NftError, NftRuleset, parse
from k8slab.linux.nft_rule import Unknown, parse_rule
from k8slab.linux.packet import Packet
from k8slab.sim import Simulation

TABLE = """add table ip t { comment "a table" ; }
add set ip t good { type ipv4_addr ; comment "who may" ; }
add set ip t seen { type ipv4_addr ; flags dynamic,timeout ; timeout 10s ; }
add map ip t way { type ipv4_addr . inet_proto . inet_service : verdict ; }
add chain ip t in { type filter hook input priority 0 ; }
add chain ip t pre { type nat hook prerouting priority -100 ; }
add chain ip t out { type nat hook output priority -100 ; }
add chain ip t post { type nat hook postrouting priority 100 ; }
add chain ip t svc
add chain ip t a
add chain ip t b
add chain ip t later { comment "what comes later" ; }
add rule ip t in tcp dport 81 counter reject
add rule ip t pre ip daddr . meta l4proto . th dport vmap @way
add rule ip t out ip daddr . meta l4proto . th dport vmap @way
add rule ip t post mark and 0x4000 == 0 return
add rule ip t post mark set mark xor 0x4000
add rule ip t post masquerade fully-random
add rule ip t svc ip saddr != 10.0.0.0/8 jump later
add rule ip t svc ip saddr @seen goto a
add rule ip t svc numgen random mod 2 vmap { 0 : goto a , 1 : goto b }
add rule ip t a update @seen { ip saddr }
add rule ip t a meta l4proto tcp dnat to 10.1.1.1:80
add rule ip t b meta l4proto tcp dnat to 10.1.1.2:80
add rule ip t later mark set mark or 0x4000
add element ip t good { 10.0.0.9 }
add element ip t way { 10.96.0.1 . tcp . 80 comment "web" : goto svc }
"""
LISTED = {  # a rule as a program writes it -> as nft lists it
    "mark set mark or 0x4000": "meta mark set meta mark | 0x00004000",
    "mark and 0x4000 == 0 return": "meta mark & 0x00004000 == 0x00000000 return",
    "meta mark set 0x1": "meta mark set 0x00000001",
    "ip saddr { 10.0.0.0/8 } drop": "ip saddr 10.0.0.0/8 drop",
    'ip saddr != { 10.0.0.0/8, 192.168.0.0/16 } drop comment "who else"': None,
    "tcp dport { 80, 443-445 } accept": None,
    "ct state established,related accept": None,
    "ct state { new, untracked } drop": "ct state new,untracked drop",
    'iifname != "eth*" counter packets 3 bytes 120 accept': None,
    "counter jump a": "counter packets 0 bytes 0 jump a",
    "reject with icmp type host-unreachable": "reject with icmp host-unreachable",
    "reject with tcp reset": None,
    "masquerade random, persistent": "masquerade random,persistent",
    "meta l4proto { tcp, udp } th dport 53 redirect to :5353": None,
    "fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @way2": None,
    "numgen random mod 2 vmap { 0 : goto a , 1 : drop }": (
        "numgen random mod 2 vmap { 0 : goto a, 1 : drop }"
    ),
    "numgen random mod 3 == 0 goto a": "numgen random mod 3 0 goto a",
    "numgen random mod 10 < 3 drop": None,
    "snat to 10.0.0.1-10.0.0.9": None,
    'log prefix "lost: " drop': None,
}


def outcomes(ruleset: NftRuleset, src: str, dst: str, port: int) -> list[tuple[str, str]]:
    trace = ruleset.trace(src, dst, port)
    return [(branch.verdict, f"{branch.ip}:{branch.port}") for branch in trace.branches]


def test_both_texts_can_be_read_and_say_the_same() -> None:
    ruleset = parse(TABLE)
    assert str(parse(str(ruleset))) == str(ruleset)
    listed = ruleset.list()
    assert "priority dstnat; policy accept;" in listed
    assert parse(listed).list() == listed
    assert outcomes(parse(listed), "10.2.2.2", "10.96.0.1", 80) == outcomes(
        ruleset, "10.2.2.2", "10.96.0.1", 80
    )


@pytest.mark.parametrize(("written", "listed"), LISTED.items())
def test_a_rule_is_listed_as_nft_lists_it(written: str, listed: str | None) -> None:
    rule = parse_rule(written)
    assert not any(isinstance(each, Unknown) for each in rule.statements)
    assert str(rule) == (listed or written)
    assert parse_rule(str(rule)) == rule


@pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("nft", "ip"))), reason="needs root and nft"
)
def test_the_listing_is_that_of_the_real_nft() -> None:
    name = f"k8slab-list-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        pytest.skip("may not make network namespaces")
    inside = ["ip", "netns", "exec", name, "nft"]
    try:
        subprocess.run([*inside, "-f", "-"], input=TABLE, text=True, check=True)
        real = subprocess.run([*inside, "list", "ruleset"], capture_output=True, text=True).stdout
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
    assert parse(TABLE).list() == real


def test_a_map_and_dice_split_a_connection_fairly() -> None:
    trace = parse(TABLE).trace("192.0.2.1", "10.96.0.1", 80, local_addresses=["10.0.0.1"])
    assert [(str(d), str(d.probability), d.masqueraded) for d in trace.destinations] == [
        ("10.1.1.1:80", "1/2", True),
        ("10.1.1.2:80", "1/2", True),
    ]
    assert not parse(TABLE).trace("10.2.2.2", "10.96.0.1", 80).masqueraded


@given(st.integers(1, 9))
def test_each_side_of_the_dice_has_the_same_chance(sides: int) -> None:
    choices = " , ".join(f"{n} : goto e{n}" for n in range(sides))
    chains = "".join(
        f"add chain ip t e{n}\nadd rule ip t e{n} dnat to 10.1.1.{n + 1}:80\n" for n in range(sides)
    )
    base = "add table ip t\nadd chain ip t p { type nat hook prerouting priority -100 ; }\n"
    text = f"{base}{chains}add rule ip t p numgen random mod {sides} vmap {{ {choices} }}\n"
    trace = parse(text).trace("192.0.2.1", "10.96.0.1", 80)
    assert [d.ip for d in trace.destinations] == [f"10.1.1.{n + 1}" for n in range(sides)]
    assert all(d.probability * sides == 1 for d in trace.destinations)


@given(st.integers(1, 9))
def test_dice_that_are_thrown_one_after_the_other_are_fair_as_well(sides: int) -> None:
    base = "add table ip t\nadd chain ip t p { type nat hook prerouting priority -100 ; }\n"
    rules = "".join(
        f"add rule ip t p numgen random mod {sides - n} == 0 dnat to 10.1.1.{n + 1}:80\n"
        for n in range(sides)
    )
    trace = parse(base + rules).trace("192.0.2.1", "10.96.0.1", 80)
    assert [d.ip for d in trace.destinations] == [f"10.1.1.{n + 1}" for n in range(sides)]
    assert all(d.probability * sides == 1 for d in trace.destinations)


@pytest.mark.parametrize(("words", "chance"), [("< 3", "3/10"), ("!= 3", "9/10"), ("3", "1/10")])
def test_a_die_is_compared(words: str, chance: str) -> None:
    base = "add table ip t\nadd chain ip t p { type filter hook input priority 0 ; }\n"
    rule = f"add rule ip t p numgen random mod 10 {words} drop\n"
    trace = parse(base + rule).trace("10.2.2.2", "127.0.0.1", 80)
    assert str(trace.chance("DROP")) == chance


def test_accept_ends_a_chain_and_drop_ends_the_way() -> None:
    early = "add chain ip t early { type filter hook input priority -10 ; }\n"
    accepted = f"{TABLE}{early}add rule ip t early accept\n"
    assert outcomes(parse(accepted), "10.2.2.2", "127.0.0.1", 81)[0][0] == "REJECT"
    dropped = f"{TABLE}{early}add rule ip t early drop\n"
    assert outcomes(parse(dropped), "10.2.2.2", "127.0.0.1", 81)[0][0] == "DROP"


def test_what_the_lab_does_not_know_is_named_and_never_matches() -> None:
    rule = "add rule ip t in meta cgroup 7 limit rate 5/minute drop\n"
    trace = parse(TABLE + rule).trace("10.2.2.2", "127.0.0.1", 80)
    assert trace.verdict == "ACCEPT"
    assert trace.uncertain == ("meta cgroup 7 limit rate 5/minute drop",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("add rule ip t nowhere drop", "No such file or directory: chain nowhere"),
        ("add element ip t none { 1.2.3.4 }", "No such file or directory: set none"),
        ("delete table ip x", "No such file or directory: table ip x"),
        ("allow everything", "expected add, insert, delete"),
        ("table ip t {\n chain c {", "is not closed"),
        ("add chain ip t c { type filter hook input priority soon ; }", "priority 'soon'"),
    ],
)
def test_an_error_names_the_line_and_changes_nothing(line: str, message: str) -> None:
    ruleset = parse(TABLE)
    with pytest.raises(NftError, match=message):
        ruleset.run(f"add chain ip t new\n{line}\n")
    assert str(ruleset) == str(parse(TABLE))


def test_commands_change_a_table_bit_by_bit() -> None:
    ruleset = parse(TABLE)
    ruleset.run(
        "flush chain ip t svc\nadd rule ip t svc goto b\ndelete element ip t good { 10.0.0.9 }"
    )
    assert [end for _, end in outcomes(ruleset, "10.2.2.2", "10.96.0.1", 80)] == ["10.1.1.2:80"]
    assert not ruleset.tables["ip", "t"].sets["good"].elements
    ruleset.run("delete table ip t")
    assert str(ruleset) == ""


def test_a_set_remembers_for_as_long_as_it_says_and_is_listed_with_what_is_left() -> None:
    sim = Simulation(3)
    node = NetNamespace(sim, "node")
    node.nft.run(TABLE)
    memory = RuleMemory(lambda: 0.0, lambda: sim.now, lambda ip: False)
    table = node.nft.tables["ip", "t"]
    packet, context = Packet("tcp", "10.2.2.2", "10.96.0.1", 1, 80), Context(Packet("tcp", "", ""))
    context.memory = memory
    update = table.chains["a"].rules[0].statements[0]
    update.remember(packet, context, table)  # type: ignore[attr-defined]
    sim.run(4)
    assert table.holds("seen", "10.2.2.2", memory)
    assert "elements = { 10.2.2.2 expires 6s }" in shell(node, "nft list set ip t seen")
    sim.run(10)
    assert not table.holds("seen", "10.2.2.2", memory)
    assert "elements" not in shell(node, "nft list set ip t seen")


def test_the_counter_of_a_rule_counts_real_packets_only() -> None:
    sim = Simulation(3)
    node = NetNamespace(sim, "node")
    node.nft.run(TABLE)
    node.nft.trace("10.2.2.2", "127.0.0.1", 81)
    assert "counter packets 0 bytes 0 reject" in node.nft.list()
    with pytest.raises(OSError, match="refused"):
        sim.complete(node.connect("127.0.0.1", 81), "connect", 10)
    assert "counter packets 1 bytes 40 reject" in node.nft.list()


def test_nft_and_iptables_share_one_nat() -> None:
    node = NetNamespace(Simulation(3), "node")
    node.nft.run(TABLE)
    node.iptables_restore(
        "*nat\n-A OUTPUT -d 10.96.0.1/32 -j DNAT --to-destination 10.9.9.9\nCOMMIT"
    )
    assert node.netfilter is not None
    packet = Packet("tcp", "127.0.0.1", "10.96.0.1", 40000, 80, "SYN")
    _, after = node.netfilter.run("OUTPUT", packet, Context(packet))
    assert after.dst == "10.9.9.9"  # the first that decides has it, and iptables comes first
    assert isinstance(node.conntrack, Conntrack)


def test_the_shell_lists_what_is_asked_for() -> None:
    node = NetNamespace(Simulation(3), "node")
    node.nft.run(TABLE)
    assert shell(node, "nft list tables") == "table ip t\n"
    assert shell(node, "nft list chain ip t b").count("\n") == 5
    assert "10.96.0.1 . tcp . 80 comment" in shell(node, "nft list map t way")
    with pytest.raises(CommandError, match="No such file or directory"):
        shell(node, "nft list table ip x")
    with pytest.raises(CommandError, match="nft list ruleset"):
        shell(node, "nft list")
    assert shell(node, "nft flush ruleset") == shell(node, "nft list ruleset") == ""
