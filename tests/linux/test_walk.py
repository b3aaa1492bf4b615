from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.linux.chains import Body, traverse
from k8slab.linux.context import Context, RuleMemory
from k8slab.linux.netfilter import Ruleset, parse, parse_rule
from k8slab.linux.packet import Packet
from k8slab.linux.rule_index import find_runs
from tests.linux.lab import RULES

NODE = ("172.18.0.2", "10.244.1.1")
SYN = Packet("tcp", "10.244.1.2", "10.96.0.10", 40000, 80, "SYN", mark=0x4001)


def context(now: float = 0.0, dice: float = 0.5) -> Context:
    made = Context(SYN, in_interface="cni0", out_interface="eth0")
    made.memory = RuleMemory(lambda: dice, lambda: now, lambda ip: ip in NODE)
    made.state = "NEW"
    return made


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("-s 10.244.0.0/16", True),
        ("! -s 10.244.0.0/16", False),
        ("-d 10.96.0.10/32", True),
        ("-p udp", False),
        ("! -p udp", True),
        ("-p tcp -m tcp --dport 80", True),
        ("-p tcp -m tcp ! --dport 80", False),
        ("-p tcp -m tcp --dport 81:90", False),
        ("-p tcp -m tcp --sport 40000", True),
        ("-p tcp -m multiport --dports 443,80", True),
        ("-p tcp -m multiport --ports 40000", True),
        ("-p tcp -m tcp --tcp-flags SYN,ACK SYN", True),
        ("-i cni+", True),
        ("-i eth0", False),
        ("-o eth0", True),
        ("-m mark --mark 0x4000/0x4000", True),
        ("-m mark ! --mark 0x4000/0x4000", False),
        ("-m mark --mark 0x4000", False),
        ("-m conntrack --ctstate NEW,INVALID", True),
        ("-m conntrack ! --ctstate NEW", False),
        ("-m conntrack --ctstate DNAT", False),
        ("-m conntrack --ctorigdst 10.96.0.0/16", True),
        ("-m conntrack --ctorigdstport 443", False),
        ("-m addrtype --dst-type LOCAL", False),
        ("-m addrtype --dst-type UNICAST", True),
        ("-m addrtype ! --src-type LOCAL", True),
        ("-m statistic --mode random --probability 0.6", True),
        ("-m statistic --mode random --probability 0.4", False),
        ("-m physdev --physdev-in veth1", False),
        ("-m physdev ! --physdev-is-bridged", True),
        ("-m nfacct --nfacct-name dropped", True),
        ("-m set --match-set x dst", False),
    ],
)
def test_a_match_judges_a_packet(match: str, expected: bool) -> None:
    checks = parse_rule(f"{match} -j ACCEPT").checks
    assert all(check.matches(SYN, context()) for check in checks) is expected


def test_every_third_packet_matches_nth() -> None:
    (match,) = parse_rule("-m statistic --mode nth --every 3 --packet 0 -j ACCEPT").checks
    one = context()
    assert [match.matches(SYN, one) for _ in range(7)] == [True, False, False] * 2 + [True]


def test_rules_that_read_the_same_count_for_themselves() -> None:
    text = "-m statistic --mode nth --every 2 --packet 0 -j ACCEPT"
    (one,), (other,) = parse_rule(text).checks, parse_rule(text).checks
    where = context()
    assert [match.matches(SYN, where) for match in (one, other, one, other)] == [
        *(True, True),
        *(False, False),
    ]


def test_recent_remembers_a_client_for_its_seconds() -> None:
    (remember,) = parse_rule("-m recent --name S --set -j ACCEPT").checks
    (check,) = parse_rule("-m recent --name S --rcheck --seconds 10 --reap -j ACCEPT").checks
    one = context()
    assert not check.matches(SYN, one)
    remember.matches(SYN, one)
    one.memory.now = lambda: 10.0
    assert check.matches(SYN, one)
    one.memory.now = lambda: 10.1
    (keep,) = parse_rule("-m recent --name S --rcheck --seconds 10 -j ACCEPT").checks
    assert not keep.matches(SYN, one)
    assert not check.matches(SYN, one)
    assert one.memory.recent == {"S": {}}


def walk(lines: list[str]) -> tuple[str, Context]:
    ruleset = parse("\n".join(["*filter", ":A - [0:0]", ":B - [0:0]", *lines, "COMMIT"]))
    one = context()
    one.visits = []
    return traverse(ruleset.tables["filter"], "INPUT", SYN, one)[0], one


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([], "ACCEPT"),
        (["-P INPUT DROP"], "DROP"),
        (["-A INPUT -j A", "-A INPUT -j DROP", "-A A -j RETURN"], "DROP"),
        (["-A INPUT -j A", "-A INPUT -j DROP", "-A A -j ACCEPT"], "ACCEPT"),
        (["-A INPUT -j A", "-A A -j B", "-A A -j DROP", "-A INPUT -j REJECT"], "DROP"),
        (["-A INPUT -j A", "-A A -g B", "-A A -j DROP", "-A INPUT -j REJECT"], "REJECT"),
        (["-A INPUT -j LOG", "-A INPUT -j DROP"], "DROP"),
        (["-A INPUT -j MARK --set-mark 7", "-A INPUT -m mark --mark 7 -j DROP"], "DROP"),
        (["-P INPUT DROP", "-A INPUT -j RETURN", "-A INPUT -j ACCEPT"], "DROP"),
        (["-P INPUT DROP", "-A INPUT -g A", "-A A -j B", "-A INPUT -j ACCEPT"], "DROP"),
    ],
)
def test_chains_jump_return_and_fall_to_the_policy(lines: list[str], verdict: str) -> None:
    assert walk(lines)[0] == verdict


def test_a_walk_reports_what_it_could_not_judge() -> None:
    verdict, one = walk(["-A INPUT -m set --match-set x dst -j DROP", "-A INPUT -j NOWHERE"])
    assert verdict == "ACCEPT"
    assert one.uncertain == ["--match-set x dst", "-j NOWHERE"]


@pytest.mark.parametrize("jump", ["-j", "-g"])
def test_a_loop_in_pasted_rules_ends_and_is_reported(jump: str) -> None:
    verdict, one = walk([f"-A INPUT {jump} A", f"-A A {jump} B", f"-A B {jump} A"])
    assert verdict == "DROP"
    assert one.uncertain[0].startswith("loop through chain")


RULE_TEXTS = st.builds(
    lambda ip, protocol, port, source: (
        f"{source}-d 10.0.0.{ip}/32 -p {protocol} -m {protocol} --dport {port} -j ACCEPT"
    ),
    st.integers(1, 3),
    st.sampled_from(["tcp", "udp"]),
    st.integers(1, 3),
    st.sampled_from(["", "! -s 10.0.0.1/32 ", "-s 10.0.0.1/32 "]),
) | st.integers(1, 3).map(lambda port: f"-p tcp -m tcp --dport {port} -j ACCEPT")


@given(
    st.lists(RULE_TEXTS, min_size=8, max_size=30),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 8),
)
def test_the_index_finds_the_rule_that_a_linear_search_finds(
    texts: list[str], host: int, port: int, start: int
) -> None:
    body = Body(texts)
    packet = Packet("tcp", "10.0.0.1", f"10.0.0.{host}", 1, port)
    one = context()
    linear = next(
        (
            place
            for place, rule in enumerate(body.rules)
            if place >= start and all(check.matches(packet, one) for check in rule.checks)
        ),
        -1,
    )
    assert body.next_match(start, packet, one) == linear
    assert one.examined == (linear if linear >= 0 else len(texts) - 1) - start + 1


def test_only_a_long_run_of_exact_rules_has_an_index_and_all_others_stay_together() -> None:
    exact = [f"-d 10.0.0.{n}/32 -p tcp -m tcp --dport 80 -j ACCEPT" for n in range(9)]
    other = ["-i eth0 -j ACCEPT", exact[0], "-m mark --mark 1 -j ACCEPT"]
    runs = find_runs([parse_rule(line).key() for line in (*other, *exact, *other)])
    assert [(run.start, run.end, run.index is not None) for run in runs] == [
        (0, 3, False),
        (3, 12, True),
        (12, 15, False),
    ]


def test_ten_thousand_services_are_found_without_looking_at_each() -> None:
    ruleset = Ruleset()
    lines = [
        f"-d 10.{96 + n // 65536}.{n // 256 % 256}.{n % 256}/32 -p tcp -m tcp --dport 80 -j X"
        for n in range(10_000)
    ]
    ruleset.replace_chain("nat", "KUBE-SERVICES", lines)
    ruleset.replace_chain("nat", "X", ["-p tcp -j DNAT --to-destination 10.244.0.5:8080"])
    ruleset.ensure_rule("nat", "PREROUTING", "-j KUBE-SERVICES")
    body = ruleset.chain("nat", "KUBE-SERVICES").body  # type: ignore[union-attr]
    assert body.next_match(0, SYN, context()) == 10
    assert [len(run.candidates(SYN)) for run in body._runs or ()] == [1]
    (branch,) = ruleset.trace("10.244.1.9", "10.96.39.15", 80).branches
    assert (branch.ip, branch.port, branch.examined) == ("10.244.0.5", 8080, 1 + 10_000 + 1)


def ask(dst: str, dport: int, src: str = "10.244.1.3", rules: str = RULES, **more: object):  # type: ignore[no-untyped-def]
    return parse(rules).trace(src, dst, dport, local_addresses=NODE, **more)  # type: ignore[arg-type]


def test_all_endpoints_of_a_service_are_equally_likely() -> None:
    lines = [
        f"-m statistic --mode random --probability {1 / (7 - n):.10f} -j SEP{n}" for n in range(6)
    ]
    ruleset = Ruleset()
    ruleset.replace_chain("nat", "PREROUTING", [*lines, "-j SEP6"])
    for number in range(7):
        target = f"-p tcp -j DNAT --to-destination 10.244.0.{number}:80"
        ruleset.replace_chain("nat", f"SEP{number}", [target])
    found = ruleset.trace("10.244.1.3", "10.96.0.10", 80).destinations
    assert [(each.ip, each.probability) for each in found] == [
        (f"10.244.0.{number}", Fraction(1, 7)) for number in range(7)
    ]


@pytest.mark.parametrize(
    ("src", "dst", "dport", "verdict", "masqueraded"),
    [
        ("10.244.1.3", "10.96.0.10", 80, "ACCEPT", {False}),  # a Pod
        ("10.244.1.2", "10.96.0.10", 80, "ACCEPT", {True, False}),  # hairpin
        ("172.18.0.9", "10.96.0.10", 80, "ACCEPT", {True}),  # from outside to a ClusterIP
        ("172.18.0.9", "172.18.0.2", 30080, "ACCEPT", {True}),  # a node port
        ("172.18.0.2", "10.96.0.10", 80, "ACCEPT", {True}),  # from the node itself
        ("10.244.1.3", "10.96.0.20", 80, "REJECT", set()),  # no endpoints
        ("10.244.1.3", "10.96.0.10", 81, "ACCEPT", {False}),  # no rule decides
    ],
)
def test_a_trace_says_who_is_masqueraded(
    src: str, dst: str, dport: int, verdict: str, masqueraded: set[bool]
) -> None:
    found = ask(dst, dport, src)
    assert found.verdict == verdict
    assert {each.masqueraded for each in found.destinations} == masqueraded


def test_a_trace_lists_the_rules_that_decided() -> None:
    found = ask("10.96.0.20", 80)
    assert [(v.table, v.chain, v.index) for v in found.visited][-2:] == [
        ("filter", "FORWARD", 2),
        ("filter", "KUBE-SERVICES", 0),
    ]
    assert found.branches[0].reject_with == "icmp-port-unreachable"


def test_what_no_rule_decides_goes_on_as_an_ordinary_packet() -> None:
    found = ask("10.244.2.3", 9376)
    assert (found.verdict, found.translated) == ("ACCEPT", False)
    assert [str(each) for each in found.destinations] == ["10.244.2.3:9376"]


def test_affinity_without_history_chooses_among_all() -> None:
    sticky = RULES.replace(
        '-A KUBE-SVC-WEB -m comment --comment "default/web -> 10.244.1.2:8080" -m statistic',
        "-A KUBE-SVC-WEB -m recent --name KUBE-SEP-2 --rcheck --seconds 10800 -j KUBE-SEP-2\n"
        "-A KUBE-SVC-WEB -m statistic",
    )
    found = ask("10.96.0.10", 80, rules=sticky)
    assert [each.probability for each in found.destinations] == [Fraction(1, 2)] * 2


def test_a_trace_counts_nothing() -> None:
    ruleset = parse(RULES)
    before = ruleset.save(counters=True)
    ruleset.trace("10.244.1.3", "10.96.0.10", 80)
    assert ruleset.save(counters=True) == before
