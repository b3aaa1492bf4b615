from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.linux.netfilter import IptablesError, Ruleset, parse, parse_rule
from tests.linux.lab import RULES

SAVED_AS = {
    "-j MARK --or-mark 0x4000": "-j MARK --set-xmark 0x4000/0x4000",
    "-j MARK --xor-mark 0x4000": "-j MARK --set-xmark 0x4000/0x0",
    "-j MARK --and-mark 0xff": "-j MARK --set-xmark 0x0/0xffffff00",
    "-j MARK --set-mark 1": "-j MARK --set-xmark 0x1/0xffffffff",
    "-p tcp --dport 80 -d 10.0.0.1 -j A": "-d 10.0.0.1/32 -p tcp -m tcp --dport 80 -j A",
    '-m comment --comment "x y" -m tcp -p tcp -d 10.0.0.1 --dport 80 -j A': (
        '-d 10.0.0.1/32 -p tcp -m comment --comment "x y" -m tcp --dport 80 -j A'
    ),
    "-p tcp -m tcp ! --dport 80 --sport 1024: -j A": (
        "-p tcp -m tcp --sport 1024:65535 ! --dport 80 -j A"
    ),
    "-m tcp -p tcp -s 10.1.2.3/24 -j A": "-s 10.1.2.0/24 -p tcp -m tcp -j A",
    "-m statistic --mode random --probability 0.3333333333 -j A": (
        "-m statistic --mode random --probability 0.33333333349 -j A"
    ),
    "-m statistic --mode nth --packet 0 --every 3 -j A": (
        "-m statistic --mode nth --every 3 --packet 0 -j A"
    ),
    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT": (
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    ),
    "-m recent --name X --rcheck --seconds 10800 --reap -j A": (
        "-m recent --rcheck --seconds 10800 --reap --name X --mask 255.255.255.255 --rsource -j A"
    ),
    "-m comment --comment plain -j A": "-m comment --comment plain -j A",
    '-m comment --comment "two words" -j A': '-m comment --comment "two words" -j A',
    '-m comment --comment "a \\"b\\"" -j A': '-m comment --comment "a \\"b\\"" -j A',
    "! -i eth0 -o veth+ -j DROP": "! -i eth0 -o veth+ -j DROP",
    "-p tcp -m multiport --dports 80,443,8000:8100 -j A": (
        "-p tcp -m multiport --dports 80,443,8000:8100 -j A"
    ),
    "-p tcp --syn -j A": "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j A",
    "-m mark ! --mark 0x4000/0x4000 -j RETURN": "-m mark ! --mark 0x4000/0x4000 -j RETURN",
    "-m addrtype ! --dst-type LOCAL -j A": "-m addrtype ! --dst-type LOCAL -j A",
    "-j REJECT": "-j REJECT --reject-with icmp-port-unreachable",
    "-p tcp -j DNAT --to-destination 10.0.0.1:80": "-p tcp -j DNAT --to-destination 10.0.0.1:80",
    "-j MASQUERADE --random-fully": "-j MASQUERADE --random-fully",
    '-j LOG --log-prefix "dropped: "': '-j LOG --log-prefix "dropped: "',
    "-g CHAIN": "-g CHAIN",
    "-m conntrack --ctstate INVALID -m nfacct --nfacct-name dropped -j A": (
        "-m conntrack --ctstate INVALID -m nfacct --nfacct-name dropped -j A"
    ),
    "-s 10.0.0.0/255.0.255.0 -j A": "-s 10.0.0.0/255.0.255.0 -j A",
    "-m iprange --src-range 10.0.0.1-10.0.0.9 -j A": (
        "-m iprange --src-range 10.0.0.1-10.0.0.9 -j A"
    ),
    "-m iprange ! --dst-range 10.0.0.1-10.0.0.9 -j A": (
        "-m iprange ! --dst-range 10.0.0.1-10.0.0.9 -j A"
    ),
    "! -f -j A": "! -f -j A",
    "! -p tcp -j A": "! -p tcp -j A",
    "-p udp -m udp ! --sport 53 -j A": "-p udp -m udp ! --sport 53 -j A",
    "-p tcp -m multiport ! --dports 80,443 -j A": "-p tcp -m multiport ! --dports 80,443 -j A",
    "-m conntrack ! --ctstate INVALID -j A": "-m conntrack ! --ctstate INVALID -j A",
    "-m conntrack --ctorigdst 10.96.0.0/12 -j A": "-m conntrack --ctorigdst 10.96.0.0/12 -j A",
    "-m conntrack --ctstate NEW ! --ctorigdst 10.96.0.1 -j A": (
        "-m conntrack --ctstate NEW ! --ctorigdst 10.96.0.1 -j A"
    ),
    "-m conntrack --ctorigdstport 80:90 -j A": "-m conntrack --ctorigdstport 80:90 -j A",
    "-m statistic --mode random ! --probability 0.5 -j A": (
        "-m statistic --mode random ! --probability 0.50000000000 -j A"
    ),
    "-m addrtype --src-type LOCAL --limit-iface-out -j A": (
        "-m addrtype --src-type LOCAL --limit-iface-out -j A"
    ),
    "-p tcp -j SNAT --to-source 10.0.0.1-10.0.0.9:1000-2000 --random-fully": (
        "-p tcp -j SNAT --to-source 10.0.0.1-10.0.0.9:1000-2000 --random-fully"
    ),
    "-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90": (
        "-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90"
    ),
    "-p tcp -j REDIRECT --to-ports 8080": "-p tcp -j REDIRECT --to-ports 8080",
    "-p tcp -j REJECT --reject-with tcp-reset": "-p tcp -j REJECT --reject-with tcp-reset",
    "-p icmp -m icmp --icmp-type 8 -j A": "-p icmp -m icmp --icmp-type 8 -j A",
    "-j NFLOG --nflog-group 100": "-j NFLOG --nflog-group 100",
    "-p tcp -j TPROXY --on-port 15001 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1": (
        "-p tcp -j TPROXY --on-port 15001 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1"
    ),
    "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu": (
        "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"
    ),
    "-m set --match-set cali40 dst -j A": "-m set --match-set cali40 dst -j A",
    "-j CT --notrack": "-j CT --notrack",
    "-j NOTRACK": "-j CT --notrack",
}


@pytest.mark.parametrize(("written", "saved"), SAVED_AS.items())
def test_a_rule_prints_as_iptables_save_prints_it(written: str, saved: str) -> None:
    assert str(parse_rule(written)) == saved
    assert str(parse_rule(saved)) == saved


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("-d 10.0.0.300 -j A", "host/network"),
        ("-p tcp --dport 70000 -j A", "invalid port/service"),
        ("--dport 80 -j A", "unknown option"),
        ("-m statistic --mode random --probability 2 -j A", "between 0 and 1"),
        ("-m statistic --mode nth --every 3 -j A", 'also requires "--packet"'),
        ("nonsense", "Bad argument"),
        ("-j", "requires an argument"),
    ],
)
def test_a_bad_rule_is_refused_with_a_reason(written: str, complaint: str) -> None:
    with pytest.raises(IptablesError, match=complaint):
        parse_rule(written)


def test_the_text_of_kube_proxy_survives_a_round_trip() -> None:
    saved = str(parse(RULES))
    assert str(parse(saved)) == saved
    wanted = sorted(line for line in RULES.splitlines() if line.startswith("-A"))
    assert sorted(line for line in saved.splitlines() if line.startswith("-A")) == wanted


def test_an_error_names_the_line_and_changes_nothing() -> None:
    ruleset = parse(RULES)
    before = str(ruleset)
    with pytest.raises(IptablesError, match="line 3 failed"):
        ruleset.restore("*nat\n:KUBE-SERVICES - [0:0]\n-A NOWHERE -j ACCEPT\nCOMMIT\n")
    assert str(ruleset) == before


def test_restore_without_noflush_empties_the_named_tables_only() -> None:
    ruleset = parse(RULES)
    ruleset.restore("*filter\nCOMMIT\n")
    assert ruleset.rules("filter", "FORWARD") == ()
    assert ruleset.chain("filter", "KUBE-SERVICES") is None
    assert ruleset.rules("nat", "KUBE-SVC-WEB")


def test_a_table_that_the_text_names_twice_is_emptied_twice() -> None:
    twice = "*filter\n-A INPUT -j DROP\nCOMMIT\n*filter\n-A OUTPUT -j DROP\nCOMMIT\n"
    for noflush, kept in ((False, 0), (True, 1)):
        ruleset = parse("*filter\nCOMMIT\n")
        ruleset.restore(twice, noflush=noflush)
        assert len(ruleset.rules("filter", "INPUT")) == kept
        assert len(ruleset.rules("filter", "OUTPUT")) == 1


def test_restore_with_noflush_empties_declared_chains_but_never_built_in_ones() -> None:
    ruleset = parse(RULES)
    chains = ":PREROUTING ACCEPT [0:0]\n:KUBE-SVC-WEB - [0:0]\n:NEW - [0:0]"
    ruleset.restore(f"*nat\n{chains}\n-A NEW -j ACCEPT\nCOMMIT\n", noflush=True)
    assert len(ruleset.rules("nat", "PREROUTING")) == 1
    assert ruleset.rules("nat", "KUBE-SVC-WEB") == ()
    assert len(ruleset.rules("nat", "KUBE-SEP-1")) == 3
    assert len(ruleset.rules("nat", "NEW")) == 1


def test_lines_change_chains_as_iptables_does() -> None:
    ruleset = parse("*filter\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n")
    lines = ["-I INPUT -j DROP", "-I INPUT 2 -p icmp -j DROP", "-D INPUT -p udp -j ACCEPT"]
    ruleset.restore("\n".join(["*filter", *lines, "-P FORWARD DROP", "COMMIT"]), noflush=True)
    assert [str(rule) for rule in ruleset.rules("filter", "INPUT")] == [
        "-j DROP",
        "-p icmp -j DROP",
        "-p tcp -j ACCEPT",
    ]
    assert ruleset.chain("filter", "FORWARD").policy == "DROP"  # type: ignore[union-attr]


def test_the_kernel_refuses_what_it_does_not_know_a_reader_keeps_it() -> None:
    text = "*filter\n-A INPUT -m set --match-set x dst -j ACCEPT\nCOMMIT\n"
    assert "-m set --match-set x dst" in str(parse(text))
    with pytest.raises(IptablesError, match="Couldn't load match"):
        Ruleset().restore(text, strict=True)
    with pytest.raises(IptablesError, match="not intended for filtering"):
        Ruleset().restore("*nat\n-A OUTPUT -j DROP\nCOMMIT\n", strict=True)
    with pytest.raises(IptablesError, match="Chain 'NOWHERE' does not exist"):
        Ruleset().restore("*filter\n-A INPUT -j NOWHERE\nCOMMIT\n", strict=True)


def test_counters_are_read_and_printed() -> None:
    text = "*filter\n:INPUT DROP [3:180]\n[7:420] -A INPUT -p tcp -j ACCEPT\nCOMMIT\n"
    saved = parse(text).save("filter", counters=True)
    assert ":INPUT DROP [3:180]" in saved
    assert "[7:420] -A INPUT -p tcp -j ACCEPT" in saved


def test_a_chains_rules_are_read_when_somebody_asks() -> None:
    asked = []

    def rules() -> list[str]:
        asked.append(1)
        return ["-j ACCEPT"]

    ruleset = Ruleset()
    ruleset.replace_chain("nat", "KUBE-SVC-X", rules)
    assert not asked
    assert str(ruleset.rules("nat", "KUBE-SVC-X")[0]) == "-j ACCEPT"
    assert str(ruleset)
    assert asked == [1]


def test_ensure_rule_adds_a_rule_once() -> None:
    ruleset = Ruleset()
    assert not ruleset.ensure_rule("nat", "PREROUTING", "-j KUBE-SERVICES", prepend=True)
    assert ruleset.ensure_rule("nat", "PREROUTING", "-j KUBE-SERVICES")
    ruleset.delete_rule("nat", "PREROUTING", "-j KUBE-SERVICES")
    assert ruleset.rules("nat", "PREROUTING") == ()


WORDS = sorted({word for rule in SAVED_AS for word in rule.split()} | {"!", '"', "\\", "-", "x"})


@given(st.lists(st.sampled_from(WORDS), max_size=10))
def test_any_line_is_a_rule_or_an_error_in_our_words(words: list[str]) -> None:
    try:
        saved = str(parse_rule(" ".join(words)))
    except IptablesError:
        return
    assert str(parse_rule(saved)) == saved
