"""kindnetd: what it does to its machine when nodes come, change and go."""

from __future__ import annotations

import json

import msgspec
import pytest

from k8slab.api.core import Node, NodeAddress, NodeSpec, NodeStatus
from k8slab.api.meta import ObjectMeta
from k8slab.client import Client
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.linux.commands import shell
from k8slab.node.cni.agent import conflist, kindnetd
from k8slab.node.cni.plugin import CONFIG
from k8slab.sim import Group


class Direct:
    """A transport without a wire."""

    def __init__(self, server: APIServer) -> None:
        self._server = server

    async def request(self, request):
        return self._server.handle(request)


class Host:
    """The least that the agent needs of its process."""

    def __init__(self, sim) -> None:
        self.sim = sim
        self.env = {"POD_SUBNET": "10.244.0.0/16"}
        self.lines: list[str] = []
        self.log = self.lines.append


@pytest.fixture
def agent(wire):
    etcd = Endpoint()
    etcd.serve(Etcd(wire.sim, Backend()))
    server = APIServer(wire.sim, etcd)
    server.start()
    wire.client = Client(Direct(server), "kindnet")
    wire.machine = wire.machines[0]
    wire.process = Host(wire.sim)
    wire.group = Group("kindnetd")
    wire.sim.spawn(kindnetd(wire.client, wire.machine)(wire.process), "kindnetd", wire.group)
    wire.sim.run(1)
    yield wire
    wire.group.kill()
    wire.sim.run(wire.sim.now)


def add_node(wire, number, cidr=""):
    name = f"worker-{number}"
    node = Node(metadata=ObjectMeta(name=name), spec=NodeSpec(podCIDR=cidr))
    node = wire.do(wire.client.create(node))
    address = NodeAddress(type="InternalIP", address=f"172.18.0.{number + 1}")
    status = msgspec.structs.replace(node.status or NodeStatus(), addresses=(address,))
    wire.do(wire.client.update_status(msgspec.structs.replace(node, status=status)))
    wire.sim.run(wire.sim.now + 1)


def far_routes(wire):
    return [str(r) for r in wire.machine.net.routes if r.gateway]


def test_it_writes_the_configuration_once_its_node_has_a_range(agent):
    assert CONFIG not in agent.machine.disk.files
    add_node(agent, 1, "10.244.1.0/24")
    assert agent.machine.disk.read(CONFIG) == conflist("10.244.1.0/24")
    assert agent.plugins[0].ready()


def test_it_keeps_a_route_to_every_other_node(agent):
    add_node(agent, 1, "10.244.1.0/24")
    add_node(agent, 2, "10.244.2.0/24")
    add_node(agent, 3)
    assert far_routes(agent) == ["10.244.2.0/24 via 172.18.0.3 dev eth0"]
    agent.do(agent.client.delete(Node, "worker-2"))
    agent.sim.run(agent.sim.now + 1)
    assert far_routes(agent) == []


def test_what_leaves_the_cluster_is_masqueraded(agent):
    assert "-A KIND-MASQ-AGENT -d 10.244.0.0/16" in agent.machine.net.iptables_save("nat")
    assert agent.machine.net.ip_forward


def test_stopped_it_leaves_routes_and_configuration_behind(agent):
    add_node(agent, 1, "10.244.1.0/24")
    add_node(agent, 2, "10.244.2.0/24")
    agent.group.kill()
    add_node(agent, 3, "10.244.3.0/24")
    assert far_routes(agent) == ["10.244.2.0/24 via 172.18.0.3 dev eth0"]
    assert agent.plugins[0].ready()


def test_a_conflist_is_json_for_the_bridge_plugin():
    config = json.loads(conflist("10.244.7.0/24"))
    assert [plugin["type"] for plugin in config["plugins"]] == ["bridge", "portmap"]
    assert config["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.244.7.0/24"}]]


def test_rules_that_somebody_flushed_are_there_again_at_the_next_minute(agent):
    net = agent.machine.net
    before = net.iptables_save("nat")
    for command in ("iptables -t nat -F", "iptables -t nat -X"):
        shell(net, command)
    agent.sim.run(58)
    assert "KIND-MASQ-AGENT" not in net.iptables_save("nat")
    agent.sim.run(62)
    assert net.iptables_save("nat") == before


def test_edits_that_leave_its_rules_alone_wake_nobody(agent):
    count = len(agent.sim.pending())
    shell(agent.machine.net, "iptables -t nat -N MINE")
    assert len(agent.sim.pending()) == count
