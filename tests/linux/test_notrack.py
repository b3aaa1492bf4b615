"""What the raw table keeps from connection tracking, and addresses on a device without a wire."""

from __future__ import annotations

import pytest

from k8slab.linux.commands import shell
from k8slab.linux.errors import NetworkError
from k8slab.linux.netfilter import parse
from k8slab.linux.netns import NetNamespace
from tests.linux.lab import Lab

SERVICE = "10.96.0.10"
RULES = f"""*raw
-A PREROUTING -d {SERVICE}/32 -p udp -m udp --dport 53 -j NOTRACK
-A OUTPUT -s {SERVICE}/32 -p udp -m udp --sport 53 -j NOTRACK
-A OUTPUT -d {SERVICE}/32 -p udp -m udp --dport 53 -j NOTRACK
COMMIT
*nat
-A PREROUTING -d {SERVICE}/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.244.2.2:53
-A OUTPUT -d {SERVICE}/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.244.2.2:53
COMMIT
"""


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.nodes[0].add_dummy("local", f"{SERVICE}/32")
    made.nodes[0].iptables_restore(RULES)
    return made


def answered(lab: Lab, client: NetNamespace, server: NetNamespace) -> bool:
    """Say whether a server behind port 53 gets a datagram, and the client its answer."""
    own = SERVICE if server.is_local(SERVICE) else "0.0.0.0"
    socket = server.udp(own, 53)

    async def serve() -> None:
        data, sender = await socket.recv_from()
        socket.send_to(data, *sender)

    async def ask() -> bool:
        asking = client.udp()
        asking.connect(SERVICE, 53)
        asking.send(b"?")
        try:
            return (await asking.recv_from(1.0))[0] == b"?"
        except NetworkError:
            return False
        finally:
            asking.close()

    serving = lab.sim.spawn(serve(), "server")
    found = lab.sim.complete(ask(), "client", 5)
    serving.kill()
    socket.close()
    return found


def test_a_packet_that_is_not_tracked_is_not_translated_either(lab: Lab) -> None:
    assert answered(lab, lab.pods["10.244.1.2"], lab.nodes[0])
    assert lab.nodes[0].conntrack.list() == ""


def test_over_lo_it_stays_untracked(lab: Lab) -> None:
    assert answered(lab, lab.nodes[0], lab.nodes[0])
    assert lab.nodes[0].conntrack.list() == ""


def test_without_the_rules_it_goes_where_nat_sends_it(lab: Lab) -> None:
    lab.nodes[0].iptables_restore(f"*raw\nCOMMIT\n{RULES[RULES.index('*nat') :]}")
    assert not answered(lab, lab.pods["10.244.1.2"], lab.nodes[0])
    assert answered(lab, lab.pods["10.244.1.2"], lab.pods["10.244.2.2"])
    assert f"dst={SERVICE}" in lab.nodes[0].conntrack.list()


def test_its_state_is_a_state_of_its_own(lab: Lab) -> None:
    states = ("NEW", "INVALID", "UNTRACKED")
    rules = "".join(f"-A INPUT -m conntrack --ctstate {state} -j ACCEPT\n" for state in states)
    lab.nodes[0].iptables_restore(f"*filter\n{rules}COMMIT\n")
    answered(lab, lab.pods["10.244.1.2"], lab.nodes[0])
    (line,) = [
        each
        for each in lab.nodes[0].iptables_save("filter", counters=True).splitlines()
        if each.startswith("[1:") and "-A INPUT" in each
    ]
    assert "UNTRACKED" in line


def test_a_trace_says_that_no_nat_rule_decides() -> None:
    found = parse(RULES).trace("10.244.1.2", SERVICE, 53, "udp", local_addresses=(SERVICE,))
    assert (found.verdict, found.translated, found.uncertain) == ("ACCEPT", False, ())


def test_a_dummy_device_holds_addresses_while_it_is_down(lab: Lab) -> None:
    assert (
        shell(lab.nodes[0], "ip -br addr show local")
        == f"local            DOWN           {SERVICE}/32\n"
    )
    assert "local: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN" in shell(
        lab.nodes[0], "ip link show local"
    )
