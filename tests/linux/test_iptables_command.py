"""iptables as a command: rules one by one."""

from __future__ import annotations

import pytest

from k8slab.linux.commands import changes, shell
from k8slab.linux.iptables_words import IptablesError
from k8slab.linux.netns import NetNamespace
from k8slab.sim import Simulation


@pytest.fixture
def node() -> NetNamespace:
    return NetNamespace(Simulation(1), "node")


def rules(node: NetNamespace, chain: str = "") -> list[str]:
    return shell(node, f"iptables -S {chain}").splitlines()


def test_rules_are_appended_inserted_and_deleted(node: NetNamespace) -> None:
    for command in (
        "-A FORWARD -s 10.244.1.2 -j DROP",
        "-I FORWARD -d 10.244.1.3 -j ACCEPT",
        "-I FORWARD 2 -p tcp --dport 80 -m comment --comment 'two words' -j REJECT",
        "--append FORWARD -i cni0 -j ACCEPT -w",
    ):
        assert shell(node, f"iptables {command}") == ""
    assert rules(node, "FORWARD") == [
        "-P FORWARD ACCEPT",
        "-A FORWARD -d 10.244.1.3/32 -j ACCEPT",
        '-A FORWARD -p tcp -m tcp --dport 80 -m comment --comment "two words" -j REJECT '
        "--reject-with icmp-port-unreachable",
        "-A FORWARD -s 10.244.1.2/32 -j DROP",
        "-A FORWARD -i cni0 -j ACCEPT",
    ]
    shell(node, "iptables -D FORWARD -s 10.244.1.2/32 -j DROP")
    shell(node, "iptables -D FORWARD 1")
    assert len(rules(node, "FORWARD")) == 3


def test_chains_come_and_go_unless_they_are_used(node: NetNamespace) -> None:
    shell(node, "iptables -N MINE")
    shell(node, "iptables -N EMPTY")
    shell(node, "iptables -A FORWARD -j MINE")
    with pytest.raises(IptablesError, match="Too many links"):
        shell(node, "iptables -X MINE")
    shell(node, "iptables -X")
    assert "-N EMPTY" not in rules(node)
    assert "-N MINE" in rules(node)
    shell(node, "iptables -F FORWARD")
    shell(node, "iptables -X MINE")
    shell(node, "iptables -P FORWARD DROP")
    assert rules(node) == ["-P INPUT ACCEPT", "-P FORWARD DROP", "-P OUTPUT ACCEPT"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("-A NOWHERE -j DROP", "No chain/target/match by that name"),
        ("-A FORWARD -j NOWHERE", "does not exist"),
        ("-A FORWARD -m nonsense -j DROP", "Couldn't load match"),
        ("-D FORWARD -j DROP", "does a matching rule exist"),
        ("-D FORWARD 1", "Index of deletion too big"),
        ("-I FORWARD 3 -j DROP", "Index of insertion too big"),
        ("-N FORWARD", "Chain already exists"),
        ("-P FORWARD REJECT", "Bad policy name"),
        ("-t nonsense -F", "unknown table"),
        ("-L", "iptables-save prints all rules"),
    ],
)
def test_what_iptables_refuses_is_refused(node: NetNamespace, command: str, words: str) -> None:
    with pytest.raises(IptablesError, match=words):
        shell(node, f"iptables {command}")


@pytest.mark.parametrize(
    ("command", "does"),
    [
        ("iptables -t nat -S", False),
        ("iptables -t nat -F", True),
        ("ip6tables --append INPUT -j DROP", True),
        ("nft list ruleset", False),
        ("nft flush ruleset", True),
        ("conntrack -L", False),
        ("conntrack -D -p udp", True),
        ("ping -c1 10.0.0.1", True),
        ("ip route", False),
        ("", False),
    ],
)
def test_commands_that_change_something_are_told_from_those_that_look(
    command: str, does: bool
) -> None:
    assert changes(command) == does
