"""Rules as other networks write them: each is printed as it came, and what is not judged is named.

Their words are those of Calico, Cilium, flannel, Weave, the AWS VPC CNI, Istio, kube-router, ufw
and Docker, and of what else iptables has.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.linux.iptables_words import IptablesError
from k8slab.linux.netfilter import Ruleset, parse

KNOWN = [
    ("nat", ('-m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN')),
    (
        "nat",
        (
            '-s 10.42.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld '
            'masq" -j MASQUERADE --random-fully'
        ),
    ),
    (
        "nat",
        (
            '! -o vlan+ -m comment --comment "AWS, SNAT" -m addrtype ! '
            "--dst-type LOCAL -j SNAT --to-source 10.0.1.2 --random-fully"
        ),
    ),
    ("nat", "-p tcp -j REDIRECT --to-ports 15001"),
    ("filter", "-m physdev --physdev-out vethwe-bridge --physdev-is-bridged -j ACCEPT"),
    ("filter", "-p udp -m udp --sport 67 --dport 68 -j ACCEPT"),
    ("mangle", "-p udp -m udp --dport 68 -j CHECKSUM --checksum-fill"),
    ("mangle", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"),
    (
        "mangle",
        (
            "-p tcp -m tcp --tcp-flags SYN,RST SYN -m tcpmss --mss 1400:65495 "
            "-j TCPMSS --set-mss 1360"
        ),
    ),
    ("filter", "-p esp -j ACCEPT"),
    ("filter", "-p gre -j ACCEPT"),
    ("filter", "-p sctp -j ACCEPT"),
    ("filter", "-g ELSEWHERE"),
    ("filter", "-f -j DROP"),
    ("filter", "-m conntrack --ctorigdst 10.96.0.1 -j ACCEPT"),
    ("filter", "-m conntrack --ctstate DNAT -j ACCEPT"),
    ("filter", "-m conntrack --ctstate INVALID,UNTRACKED -j DROP"),
    ("filter", "-p tcp -m multiport --dports 80,443,8000:8010 -j ACCEPT"),
    ("filter", "-p tcp -m multiport ! --sports 80 -j ACCEPT"),
    ("filter", "-p icmp -m icmp --icmp-type 3/4 -j ACCEPT"),
    ("filter", "-p icmp -m icmp --icmp-type any -j ACCEPT"),
    ("filter", "-m iprange --src-range 10.0.0.1-10.0.0.9 -j ACCEPT"),
    (
        "filter",
        (
            "-m recent --update --seconds 60 --hitcount 4 --name ssh --mask "
            "255.255.255.255 --rsource -j DROP"
        ),
    ),
    ("filter", "-m statistic --mode nth --every 3 --packet 0 -j ACCEPT"),
    ("filter", '-j LOG --log-prefix "[UFW BLOCK] " --log-level 4'),
    ("filter", "-j NFLOG --nflog-prefix drop --nflog-group 5"),
    ("filter", "-j AUDIT --type drop"),
    ("raw", "-j TRACE"),
    ("mangle", "-j DSCP --set-dscp 0x20"),
    ("mangle", "-j TTL --ttl-set 64"),
    (
        "nat",
        (
            "-p tcp -m tcp --dport 80 -j DNAT --to-destination "
            "10.0.0.1-10.0.0.4:8080 --random --persistent"
        ),
    ),
    ("nat", "-j DNAT --to-destination :8080"),
    ("nat", "-p udp -j SNAT --to-source 10.0.0.9:1024-2048"),
    ("nat", "-p tcp -j MASQUERADE --to-ports 1024-65535"),
    ("filter", ("-m addrtype --src-type UNICAST ! --dst-type BROADCAST,MULTICAST -j ACCEPT")),
    ("filter", "-m nfacct --nfacct-name x -j ACCEPT"),
    ("filter", ('-m comment --comment "it\\\'s \\"quoted\\" \\\\ and - dashes -j DROP" -j ACCEPT')),
    ("mangle", "-j CLASSIFY --set-class 1:10"),
    ("mangle", "-j MARK --set-xmark 0x1/0xffffffff"),
    ("filter", "! -s 10.0.0.0/8 ! -i lo ! -p tcp -j DROP"),
    ("filter", "-i wg+ -o wg0 -j ACCEPT"),
    ("filter", "-j REJECT --reject-with icmp-admin-prohibited"),
    ("filter", "-j DECLARED"),
    (
        "raw",
        "-d 10.0.0.0/8 -m mark --mark 0xa00/0xfffffeff -m comment --comment "
        '"cilium: NOTRACK for proxy return traffic" -j CT --notrack',
    ),
]
UNKNOWN = [
    (
        "filter",
        "-m set --match-set cali40s:abc src -j MARK --set-xmark 0x10000/0x10000",
        "-m set --match-set cali40s:abc src",
    ),
    ("filter", "-m set ! --match-set x src,dst -j DROP", "-m set ! --match-set x src,dst"),
    (
        "mangle",
        (
            '! -o lo -m socket --transparent -m comment --comment "cilium: '
            'any->pod redirect proxied traffic to host proxy" -j MARK '
            "--set-xmark 0x200/0xffffffff"
        ),
        "-m socket --transparent",
    ),
    (
        "mangle",
        (
            '-p tcp -m mark --mark 0xb7820200 -m comment --comment "cilium: '
            'TPROXY to host cilium-dns-egress proxy" -j TPROXY --on-port 33423 '
            "--on-ip 127.0.0.1 --tproxy-mark 0x200/0xffffffff"
        ),
        ("-j TPROXY --on-port 33423 --on-ip 127.0.0.1 --tproxy-mark 0x200/0xffffffff"),
    ),
    (
        "mangle",
        (
            '-i eth0 -m comment --comment "AWS, primary ENI" -m addrtype '
            "--dst-type LOCAL --limit-iface-in -j CONNMARK --set-xmark "
            "0x80/0x80"
        ),
        "-j CONNMARK --set-xmark 0x80/0x80",
    ),
    (
        "mangle",
        (
            '-i eni+ -m comment --comment "AWS, primary ENI" -j CONNMARK '
            "--restore-mark --nfmask 0x80 --ctmask 0x80"
        ),
        "-j CONNMARK --restore-mark --nfmask 0x80 --ctmask 0x80",
    ),
    ("nat", "-m owner --uid-owner 1337 -j RETURN", "-m owner --uid-owner 1337"),
    (
        "raw",
        (
            "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m limit --limit "
            "10/sec --limit-burst 20 -j ACCEPT"
        ),
        "-m limit --limit 10/sec --limit-burst 20",
    ),
    (
        "filter",
        (
            "-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 10 "
            "--hashlimit-mode srcip --hashlimit-name x -j ACCEPT"
        ),
        (
            "-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 10 "
            "--hashlimit-mode srcip --hashlimit-name x"
        ),
    ),
    (
        "filter",
        "-m mac --mac-source 02:00:00:00:00:01 -j ACCEPT",
        "-m mac --mac-source 02:00:00:00:00:01",
    ),
    ("filter", "-m pkttype --pkt-type multicast -j ACCEPT", "-m pkttype --pkt-type multicast"),
    ("filter", "-m ttl --ttl-eq 1 -j DROP", "-m ttl --ttl-eq 1"),
    ("filter", "-m length --length 0:100 -j ACCEPT", "-m length --length 0:100"),
    ("filter", "-m policy --dir in --pol ipsec -j ACCEPT", "-m policy --dir in --pol ipsec"),
    ("filter", "-p ah -m ah --ahspi 500 -j ACCEPT", "-m ah --ahspi 500"),
    (
        "filter",
        "-m u32 --u32 0x0>>0x16&0x3c@0xc>>0x1a&0x3c=0x0 -j DROP",
        "-m u32 --u32 0x0>>0x16&0x3c@0xc>>0x1a&0x3c=0x0",
    ),
    (
        "filter",
        ("-m time --timestart 08:00:00 --timestop 18:00:00 --weekdays Mon,Tue -j ACCEPT"),
        "-m time --timestart 08:00:00 --timestop 18:00:00 --weekdays Mon,Tue",
    ),
    ("filter", "-m conntrack --ctstatus ASSURED -j ACCEPT", "-m conntrack --ctstatus ASSURED"),
    (
        "filter",
        "-m conntrack --ctproto 6 --ctdir ORIGINAL -j ACCEPT",
        "-m conntrack --ctdir ORIGINAL",
    ),
    (
        "filter",
        "-m bpf --object-pinned /sys/fs/bpf/x -j ACCEPT",
        "-m bpf --object-pinned /sys/fs/bpf/x",
    ),
    (
        "filter",
        '-m string --string "GET /" --algo bm --to 65535 -j DROP',
        '-m string --string "GET /" --algo bm --to 65535',
    ),
    (
        "filter",
        (
            "-m connlimit --connlimit-above 10 --connlimit-mask 32 "
            "--connlimit-saddr -j REJECT --reject-with tcp-reset"
        ),
        ("-m connlimit --connlimit-above 10 --connlimit-mask 32 --connlimit-saddr"),
    ),
    ("filter", "-m quota --quota 1000 -j ACCEPT", "-m quota --quota 1000"),
    ("filter", "-m cgroup --cgroup 1 -j ACCEPT", "-m cgroup --cgroup 1"),
    ("filter", "-m rpfilter --validmark --invert -j DROP", "-m rpfilter --validmark --invert"),
    (
        "filter",
        "-j NFQUEUE --queue-num 1 --queue-bypass",
        "-j NFQUEUE --queue-num 1 --queue-bypass",
    ),
    (
        "filter",
        "-j SET --add-set blocked src --exist --timeout 60",
        "-j SET --add-set blocked src --exist --timeout 60",
    ),
    ("nat", "-d 10.1.0.0/16 -j NETMAP --to 10.2.0.0/16", "-j NETMAP --to 10.2.0.0/16"),
    ("filter", "-m dscp --dscp 0x2e -j ACCEPT", "-m dscp --dscp 0x2e"),
    (
        "filter",
        "-p sctp -m sctp --dport 9999 --chunk-types any INIT -j ACCEPT",
        "-m sctp --chunk-types any INIT",
    ),
    (
        "filter",
        ("-m connbytes --connbytes 1000: --connbytes-mode bytes --connbytes-dir both -j ACCEPT"),
        ("-m connbytes --connbytes 1000: --connbytes-mode bytes --connbytes-dir both"),
    ),
    ("filter", "-m connmark --mark 0x1/0x1 -j ACCEPT", "-m connmark --mark 0x1/0x1"),
    ("filter", "-m ipvs --ipvs --vaddr 10.0.0.1 -j ACCEPT", "-m ipvs --ipvs --vaddr 10.0.0.1"),
    ("mangle", "-j TEE --gateway 10.0.0.1", "-j TEE --gateway 10.0.0.1"),
    (
        "filter",
        "-j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460",
        "-j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460",
    ),
]


def loaded(table: str, rule: str) -> Ruleset:
    chain = "FORWARD" if table == "filter" else "PREROUTING"
    chains = f":{chain} ACCEPT [0:0]\n:ELSEWHERE - [0:0]\n:DECLARED - [0:0]\n"
    return parse(f"*{table}\n{chains}[3:180] -A {chain} {rule}\nCOMMIT\n")


def printed(ruleset: Ruleset) -> str:
    (line,) = [line for line in str(ruleset).splitlines() if line.startswith("-A")]
    return line.split(" ", 2)[2]


def traced(ruleset: Ruleset) -> object:
    return ruleset.trace("192.0.2.1", "10.0.0.1", 80, in_interface="eth0", out_interface="cni0")


@pytest.mark.parametrize(("table", "rule"), KNOWN)
def test_a_rule_that_is_judged_is_printed_as_it_came(table: str, rule: str) -> None:
    ruleset = loaded(table, rule)
    assert printed(ruleset) == rule
    assert ruleset.unknown == ()
    assert traced(ruleset)


@pytest.mark.parametrize(("table", "rule", "words"), UNKNOWN)
def test_what_is_not_judged_is_kept_and_named(table: str, rule: str, words: str) -> None:
    ruleset = loaded(table, rule)
    assert printed(ruleset) == rule
    assert [(part.line, part.words) for part in ruleset.unknown] == [(5, words)]
    assert traced(ruleset)


WORDS = st.sampled_from(
    [word for _, rule, *_ in (*KNOWN, *UNKNOWN) for word in rule.split()]
    + ["!", '"', "\\", "--", "-m", "-j", "", "\u00e9", "0", "-1", "999999999999", "::1", "a" * 40]
)


@given(st.lists(WORDS, max_size=12))
def test_nothing_that_is_pasted_makes_the_reader_stumble(words: list[str]) -> None:
    try:
        ruleset = loaded("filter", " ".join(words))
    except IptablesError:
        return  # refused, with the line
    traced(ruleset)
