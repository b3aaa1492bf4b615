"""The oracle of linux/: a real kernel loads the same rules and must decide the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8slab.linux.netfilter import parse
from tests.kernel.netlab import LabNet, RealNet, missing
from tests.linux.lab import RULES
from tests.linux.test_iptables_text import SAVED_AS

REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

# Beside the Service web: an affine one, one with a Local policy and no local endpoint, odd rules.
MORE = """
*filter
-A KUBE-SERVICES -d 10.96.0.21/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset
-A KUBE-PROXY-FIREWALL -d 10.96.0.22/32 -p tcp -m tcp --dport 80 -j DROP
-A KUBE-EXTERNAL-SERVICES -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30081 -j DROP
-A KUBE-FORWARD -s 10.244.3.2/32 -d 10.244.2.2/32 -p tcp -m multiport --dports 9000:9010 -j DROP
-A INPUT -p udp -m udp --dport 9999 -j DROP
COMMIT
*nat
:KUBE-SVC-ONE - [0:0]
:KUBE-SVC-STICKY - [0:0]
:KUBE-SVC-GOTO - [0:0]
:KUBE-STICKY-1 - [0:0]
:KUBE-STICKY-2 - [0:0]
-A KUBE-SERVICES -d 10.96.0.30/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-ONE
-A KUBE-SERVICES -d 10.96.0.31/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-STICKY
-A KUBE-SERVICES -d 10.96.0.32/32 -p tcp -m tcp --dport 80 -g KUBE-SVC-GOTO
-A KUBE-SERVICES -d 10.96.0.32/32 -p tcp -m tcp --dport 80 -j KUBE-SEP-2
-A KUBE-SERVICES -d 10.96.0.33/32 -p tcp -m tcp ! --dport 443 -j KUBE-SEP-2
-A KUBE-SVC-ONE ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-ONE -j KUBE-SEP-1
-A KUBE-SVC-GOTO -s 172.16.0.0/12 -j KUBE-SEP-1
-A KUBE-SVC-STICKY -m recent --name ST1 --rcheck --seconds 10800 --reap -j KUBE-STICKY-1
-A KUBE-SVC-STICKY -m recent --name ST2 --rcheck --seconds 10800 --reap -j KUBE-STICKY-2
-A KUBE-SVC-STICKY -m statistic --mode random --probability 0.50000000000 -j KUBE-STICKY-1
-A KUBE-SVC-STICKY -j KUBE-STICKY-2
-A KUBE-STICKY-1 -p tcp -m recent --name ST1 --set -m tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-STICKY-2 -p tcp -m recent --name ST2 --set -m tcp -j DNAT --to-destination 10.244.2.2:8080
COMMIT
"""

# from, protocol, address, port, attempts (many where dice decide: the sets must be equal)
FLOWS = [
    ("client", "tcp", "10.96.0.10", 80, 16),
    ("client", "udp", "10.96.0.10", 53, 16),
    ("client", "tcp", "10.96.0.10", 81, 1),
    ("client", "tcp", "10.96.0.20", 80, 1),
    ("client", "udp", "10.96.0.20", 53, 1),
    ("client", "tcp", "10.96.0.21", 80, 1),
    ("client", "tcp", "10.96.0.22", 80, 1),
    ("client", "tcp", "10.96.0.30", 80, 2),
    ("client", "tcp", "10.96.0.32", 80, 1),
    ("client", "tcp", "10.96.0.33", 80, 1),
    ("client", "tcp", "10.244.1.2", 8080, 1),
    ("client", "tcp", "10.244.1.2", 81, 1),
    ("client", "udp", "10.244.1.2", 81, 1),
    ("client", "tcp", "10.244.2.2", 9005, 1),
    ("client", "tcp", "172.18.0.2", 30080, 16),
    ("client", "tcp", "172.18.0.2", 30081, 1),
    ("client", "tcp", "172.18.0.2", 80, 1),
    ("client", "udp", "172.18.0.2", 9999, 1),
    ("one", "tcp", "10.96.0.30", 80, 2),
    ("one", "tcp", "10.96.0.10", 80, 16),
    ("outside", "tcp", "172.18.0.2", 30080, 16),
    ("outside", "tcp", "10.96.0.30", 80, 1),
    ("outside", "tcp", "10.96.0.32", 80, 1),
    ("node", "tcp", "10.96.0.30", 80, 2),
    ("node", "tcp", "10.96.0.20", 80, 1),
    ("node", "udp", "10.96.0.20", 53, 1),
    ("node", "tcp", "10.244.2.2", 8080, 1),
    ("node", "tcp", "172.18.0.2", 30080, 16),
    ("node", "tcp", "127.0.0.1", 30080, 1),
    ("node", "tcp", "10.97.0.1", 80, 1),
]


def chain_text() -> str:
    """Return every rule of the text tests, each in a chain of its own."""
    tables: dict[str, list[str]] = {"filter": [], "nat": []}
    for number, rule in enumerate(kernel_rules()):
        table = "filter" if "REJECT" in rule or "DROP" in rule else "nat"
        tables[table].append(f"-A RULE-{number} {rule}")
    text = ""
    for table, lines in tables.items():
        chains = [f":{line.split()[1]} - [0:0]" for line in lines]
        text += "\n".join(
            [f"*{table}", *chains, ":A - [0:0]", ":CHAIN - [0:0]", *lines, "COMMIT\n"]
        )
    return text


def kernel_rules() -> list[str]:
    """Return the rules that need no module which this test cannot count on."""
    unusual = ("--match-set", "-j CT", "-j NOTRACK", "-j LOG", "nfacct", "-j TPROXY", "-j NFLOG")
    unusual += ("-j TCPMSS",)
    return [rule for rule in SAVED_AS if not any(word in rule for word in unusual)]


def rule_lines(saved: str) -> list[str]:
    return sorted(line for line in saved.splitlines() if line.startswith("-A"))


@pytest.fixture(scope="module")
def real() -> Iterator[RealNet]:
    net = RealNet()
    try:
        net.inside("node", "iptables-restore", "--noflush", text=RULES)
        net.inside("node", "iptables-restore", "--noflush", text=MORE)
        for name in ("one", "two"):
            net.serve(name)
        yield net
    finally:
        net.close()


@pytest.fixture(scope="module")
def lab() -> LabNet:
    net = LabNet()
    for rules in (RULES, MORE):
        net.spaces["node"].iptables_restore(rules, noflush=True)
    for name in ("one", "two"):
        net.serve(name)
    return net


@pytest.mark.parametrize("origin", ["client", "one", "outside", "node"])
def test_every_flow_ends_as_in_the_kernel(real: RealNet, lab: LabNet, origin: str) -> None:
    flows = [flow[1:] for flow in FLOWS if flow[0] == origin]
    kernel, ours = real.ask(origin, flows), lab.ask(origin, flows)
    for flow, theirs, own in zip(flows, kernel, ours, strict=True):
        assert sorted(set(own)) == sorted(set(theirs)), flow


def test_affinity_holds_in_both(real: RealNet, lab: LabNet) -> None:
    for net in (real, lab):
        (answers,) = net.ask("client", [("tcp", "10.96.0.31", 80, 8)])
        assert len(set(answers)) == 1
        assert answers[0].split()[1] == "10.244.3.2"


def test_a_trace_knows_every_destination_that_the_kernel_chose(real: RealNet, lab: LabNet) -> None:
    ruleset, local = lab.spaces["node"].ruleset, lab.spaces["node"].local_addresses
    found = ruleset.trace("10.244.3.2", "10.96.0.10", 80, local_addresses=local)
    (answers,) = real.ask("client", [("tcp", "10.96.0.10", 80, 16)])
    names = {"one": "10.244.1.2", "two": "10.244.2.2"}
    assert {names[answer.split()[0]] for answer in answers} == {d.ip for d in found.destinations}


def test_the_kernel_saves_the_rules_as_we_do(real: RealNet) -> None:
    saved = real.inside("node", "iptables-save")
    assert rule_lines(str(parse(saved))) == rule_lines(saved)
    assert rule_lines(str(parse(RULES))) == [
        line for line in rule_lines(saved) if line in RULES.splitlines()
    ]


def test_the_kernel_saves_every_kind_of_rule_as_we_do(real: RealNet) -> None:
    text = chain_text()
    real.inside("client", "iptables-restore", text=text)
    assert rule_lines(str(parse(text))) == rule_lines(real.inside("client", "iptables-save"))
