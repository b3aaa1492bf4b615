"""The router: to which nodes it sends, by health, and by which way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from k8slab.addons.cloud_controller.load_balancers import (
    Backend,
    LoadBalancer,
    LoadBalancers,
    Port,
    routes,
    rules,
)
from k8slab.linux.links import Segment
from k8slab.linux.netfilter import parse
from k8slab.linux.netns import NetNamespace
from k8slab.node import http
from k8slab.sim import Simulation

ONE, TWO = Backend("one", ("192.168.10.11",)), Backend("two", ("192.168.10.12",))
ORDER = LoadBalancer(
    ips=("203.0.113.1",), ports=(Port("tcp", 80, 30080),), backends=(ONE, TWO), health_port=31000
)


class Lab:
    """A router and two nodes that say how they are."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        segment = Segment(self.sim)
        self.router = NetNamespace(self.sim, "router")
        self.router.add_ethernet("eth0", segment, "192.168.10.1/24")
        self.status = {"one": 200, "two": 503}
        for node in (ONE, TWO):
            net = NetNamespace(self.sim, node.name)
            net.add_ethernet("eth0", segment, f"{node.ips[0]}/24")
            self.sim.spawn(self.serve(net, node.name), node.name)
        self.balancers = LoadBalancers(self.sim, self.router)
        self.balancers.ensure("default/web", ORDER)

    async def serve(self, net: NetNamespace, name: str) -> None:
        listener = net.listen("0.0.0.0", 31000)
        while True:
            connection = await listener.accept()
            answer: Any = lambda request: http.text("", self.status[name])  # noqa: E731
            self.sim.spawn(http.serve_connection(connection, answer), "answer")

    def healthy(self, seconds: float) -> list[str]:
        self.sim.run(self.sim.now + seconds)
        return [node.name for node in self.balancers.healthy("default/web")]


def test_it_sends_where_the_check_succeeds_and_gives_up_after_two_failures() -> None:
    lab = Lab()
    assert lab.healthy(1) == ["one"]
    lab.status = {"one": 503, "two": 200}
    assert lab.healthy(10) == ["one", "two"]  # one has failed once
    assert lab.healthy(10) == ["two"]
    assert [str(route) for route in lab.router.routes] == [
        "192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.1",
        "203.0.113.1 via 192.168.10.12 dev eth0 proto static",
    ]


def test_what_is_not_ordered_any_more_leaves_nothing_behind() -> None:
    lab = Lab()
    lab.sim.run(1)
    lab.balancers.delete("default/web")
    lab.sim.run(60)
    assert len(lab.router.routes) == 1
    assert "203.0.113.1" not in lab.router.iptables_save()
    assert lab.healthy(1) == []


@pytest.mark.parametrize(("source", "verdict"), [("192.0.2.7", "ACCEPT"), ("8.8.8.8", "DROP")])
def test_a_rewriting_load_balancer_sends_to_node_ports_and_keeps_strangers_out(
    source: str, verdict: str
) -> None:
    order = msgspec.structs.replace(ORDER, rewrites=True, source_ranges=("192.0.2.0/24",))
    lab = Lab()
    lab.balancers.ensure("default/web", order)
    lab.status = {"one": 200, "two": 200}
    lab.sim.run(1)
    own = lab.router.local_addresses
    trace = lab.router.ruleset.trace(source, "203.0.113.1", 80, local_addresses=own)
    assert trace.verdict == verdict
    if verdict == "ACCEPT":
        assert [(str(d), d.masqueraded) for d in trace.destinations] == [
            ("192.168.10.11:30080", True),
            ("192.168.10.12:30080", True),
        ]
    assert routes([(order, (ONE, TWO))]) == {}


def test_without_a_healthy_node_the_address_is_nobodys() -> None:
    assert "203.0.113.1" not in rules([(ORDER, ())])
    assert str(parse(rules([(ORDER, (ONE,))]))).count("203.0.113.1/32") == 1


def test_each_family_has_the_nodes_that_have_an_address_of_it() -> None:
    order = msgspec.structs.replace(ORDER, ips=("203.0.113.1", "2001:db8::1"), rewrites=True)
    both = Backend("two", ("192.168.10.12", "fd00::12"))
    four, six = (rules([(order, (ONE, both))], ipv6=ipv6) for ipv6 in (False, True))
    assert four.count("DNAT") == 2
    assert "2001:db8::1" not in four
    assert "-d 2001:db8::1/128 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00::12]" in six
    assert routes([(ORDER, (ONE,))]) == {"203.0.113.1": "192.168.10.11"}
