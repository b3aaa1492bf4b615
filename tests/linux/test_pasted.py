"""Texts shaped like those of other clusters' nodes: read whole, traced, and honest about sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8slab.linux.netfilter import Ruleset, parse

HERE = Path(__file__).parent / "pasted"
NAMES = ("docker", "k3s", "calico")


def pasted(name: str) -> tuple[str, Ruleset]:
    text = (HERE / f"{name}.txt").read_text()
    return text, parse(text)


@pytest.mark.parametrize("name", NAMES)
def test_no_rule_is_lost_and_none_is_changed(name: str) -> None:
    text, ruleset = pasted(name)
    given = [line for line in text.splitlines() if line.startswith("-A")]
    saved = [line for line in str(ruleset).splitlines() if line.startswith("-A")]
    assert sorted(saved) == sorted(line.replace("-name  ct", "-name ct") for line in given)
    assert ":FORWARD" in str(ruleset)


def test_a_published_port_of_docker_leads_to_its_container() -> None:
    _, ruleset = pasted("docker")
    assert ruleset.unknown == ()
    trace = ruleset.trace(
        "192.0.2.1", "198.51.100.7", 8080, in_interface="eth0", out_interface="docker0",
        local_addresses=["198.51.100.7", "172.17.0.1"],
    )  # fmt: skip
    assert (trace.verdict, str(trace.destinations[0])) == ("ACCEPT", "172.17.0.2:80")
    straight = ruleset.trace("192.0.2.1", "172.17.0.2", 80, in_interface="eth0")
    assert straight.verdict == "DROP"  # the raw table guards the container's own address
    out = ruleset.trace(
        "172.17.0.2", "192.0.2.1", 443, in_interface="docker0", out_interface="eth0"
    )
    assert out.masqueraded


def test_k3s_forwards_host_ports_and_its_policies_name_the_sets_that_they_ask() -> None:
    _, ruleset = pasted("k3s")
    own = ["192.168.1.10", "10.42.0.1"]
    host_port = ruleset.trace("192.168.1.99", own[0], 80, local_addresses=own)
    assert str(host_port.destinations[0]) == "10.42.0.7:80"
    dns = ruleset.trace("10.42.0.9", "10.43.0.10", 53, "udp", local_addresses=own)
    assert dns.verdict == "REJECT"  # no policy that the lab can judge lets it in
    assert [part.words.split()[:2] for part in ruleset.unknown] == [["-m", "set"], ["-m", "set"]]
    assert "ipset list" in str(ruleset.unknown[0])


def test_calico_says_at_which_line_a_set_or_the_way_back_is_asked() -> None:
    text, ruleset = pasted("calico")
    lines = text.splitlines()
    for part in ruleset.unknown:
        assert part.words.split()[1] in lines[part.line - 1]
        assert str(part).startswith(
            f"line {part.line}: {part.table} {part.chain}: the lab does not"
        )
    assert {part.words.split()[1] for part in ruleset.unknown} == {"set", "rpfilter"}
    trace = ruleset.trace(
        "10.0.9.9", "10.0.1.2", 8080, in_interface="eth0", out_interface="cali12d4a061371"
    )
    assert trace.verdict == "DROP"
    assert "not judged, and taken as not matching: --match-set cali40s" in str(trace)


def test_a_limit_before_a_log_decides_nothing_and_is_not_complained_of() -> None:
    rule = "-A INPUT -m limit --limit 5/min -j LOG --log-prefix x"
    ruleset = parse(f"*filter\n{rule}\n-A INPUT -m limit --limit 5/min -j ACCEPT\nCOMMIT\n")
    assert [(part.line, part.words) for part in ruleset.unknown] == [(3, "-m limit --limit 5/min")]
