from __future__ import annotations

import pytest

from k8slab.linux.errors import (
    AddressInUse,
    AddressNotAvailable,
    BrokenPipe,
    ConnectionRefused,
    ConnectionReset,
    TimedOut,
)
from tests.linux.lab import Lab


def test_messages_go_there_and_back(lab: Lab) -> None:
    lab.serve("10.244.2.2")
    assert lab.get(lab.pods["10.244.1.2"], "10.244.2.2", 8080) == "10.244.2.2 saw 10.244.1.2"


def test_a_closed_port_refuses_at_once(lab: Lab) -> None:
    with pytest.raises(ConnectionRefused, match="Connection refused") as caught:
        lab.run(lab.pods["10.244.1.2"].connect("10.244.2.2", 81))
    assert caught.value.errno_name == "ECONNREFUSED"
    assert lab.sim.now < 0.001


def test_a_silent_host_times_out_after_127_seconds(lab: Lab) -> None:
    lab.segment.partition("node-1", "node-2")
    with pytest.raises(TimedOut, match="Connection timed out"):
        lab.run(lab.pods["10.244.1.2"].connect("10.244.2.2", 80))
    assert 127 <= lab.sim.now < 127.1


def test_a_callers_timeout_comes_first(lab: Lab) -> None:
    lab.segment.partition("node-1", "node-2")
    with pytest.raises(TimedOut):
        lab.run(lab.pods["10.244.1.2"].connect("10.244.2.2", 80, timeout=3))
    assert lab.sim.now == 3


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("0.0.0.0", "0.0.0.0", True),
        ("0.0.0.0", "10.244.1.2", True),
        ("127.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "10.244.1.2", False),
    ],
)
def test_a_port_belongs_to_one_socket_of_an_address(
    lab: Lab, first: str, second: str, clash: bool
) -> None:
    pod = lab.pods["10.244.1.2"]
    pod.listen(first, 80)
    pod.udp("0.0.0.0", 80)  # UDP ports are another space
    if clash:
        with pytest.raises(AddressInUse, match="Address already in use"):
            pod.listen(second, 80)
    else:
        pod.listen(second, 80)


def test_only_own_addresses_can_be_bound(lab: Lab) -> None:
    with pytest.raises(AddressNotAvailable):
        lab.pods["10.244.1.2"].listen("10.244.1.3", 80)


def test_who_listens_on_loopback_is_not_reached_from_outside(lab: Lab) -> None:
    pod = lab.pods["10.244.1.2"]
    pod.listen("127.0.0.1", 80)
    assert lab.run(pod.connect("127.0.0.1", 80)).established
    with pytest.raises(ConnectionRefused):
        lab.run(lab.pods["10.244.1.3"].connect("10.244.1.2", 80))


def test_the_end_of_the_stream_is_empty_bytes(lab: Lab) -> None:
    pod, listener = lab.pods["10.244.1.2"], lab.pods["10.244.1.3"].listen("0.0.0.0", 80)

    async def talk() -> list[bytes]:
        client = await pod.connect("10.244.1.3", 80)
        server = await listener.accept()
        await client.send(b"one")
        await client.send(b"two")
        client.close()
        return [await server.recv(), await server.recv(), await server.recv()]

    assert lab.run(talk()) == [b"one", b"two", b""]


def test_closed_connections_leave_the_table(lab: Lab) -> None:
    lab.serve("10.244.2.2")
    for _ in range(3):
        lab.get(lab.pods["10.244.1.2"], "10.244.2.2", 8080)
    lab.sim.run(lab.sim.now + 1)
    assert not lab.pods["10.244.1.2"].sockets.connections
    assert not lab.pods["10.244.2.2"].sockets.connections
    assert lab.sim.next_time() is None


def test_a_killed_process_ends_its_connections_and_frees_its_ports(lab: Lab) -> None:
    server = lab.pods["10.244.2.2"]
    listener = server.listen("0.0.0.0", 80, owner="web")

    async def talk() -> bytes:
        client = await lab.pods["10.244.1.2"].connect("10.244.2.2", 80)
        await listener.accept()
        server.close_owned_by("web")
        return await client.recv(timeout=1)

    assert lab.run(talk()) == b""
    server.listen("0.0.0.0", 80)


def test_unread_data_turns_a_close_into_a_reset(lab: Lab) -> None:
    listener = lab.pods["10.244.2.2"].listen("0.0.0.0", 80)

    async def talk() -> None:
        client = await lab.pods["10.244.1.2"].connect("10.244.2.2", 80)
        server = await listener.accept()
        await client.send(b"never read")
        await lab.sim.sleep(0.01)
        server.close()
        await client.recv(timeout=1)

    with pytest.raises(ConnectionReset, match="Connection reset by peer"):
        lab.run(talk())


def test_sending_after_close_is_a_broken_pipe(lab: Lab) -> None:
    lab.serve("10.244.2.2")

    async def talk() -> None:
        client = await lab.pods["10.244.1.2"].connect("10.244.2.2", 8080)
        client.close()
        await client.send(b"too late")

    with pytest.raises(BrokenPipe):
        lab.run(talk())


def test_a_lossy_wire_costs_time_but_no_message(lab: Lab) -> None:
    lab.serve("10.244.2.2")
    lab.segment.loss = 0.3
    answers = [lab.get(lab.pods["10.244.1.2"], "10.244.2.2", 8080) for _ in range(20)]
    assert answers == ["10.244.2.2 saw 10.244.1.2"] * 20
    assert lab.segment.lost > 10


def test_data_to_a_dead_host_times_out_after_a_quarter_of_an_hour(lab: Lab) -> None:
    lab.serve("10.244.2.2")

    async def talk() -> None:
        client = await lab.pods["10.244.1.2"].connect("10.244.2.2", 8080)
        lab.segment.partition("node-1", "node-2")
        await client.send(b"anybody there?")
        await client.recv()

    with pytest.raises(TimedOut):
        lab.run(talk())
    assert 900 < lab.sim.now < 1000


def test_datagrams_are_not_sent_again(lab: Lab) -> None:
    server = lab.pods["10.244.2.2"].udp("0.0.0.0", 53)
    lab.segment.fault = lambda packet, origin, target: True
    client = lab.pods["10.244.1.2"].udp()
    client.send_to(b"q", "10.244.2.2", 53)
    with pytest.raises(TimedOut):
        lab.run(server.recv_from(timeout=60))


def test_only_a_connected_datagram_socket_hears_that_nobody_listens(lab: Lab) -> None:
    loose, connected = lab.pods["10.244.1.2"].udp(), lab.pods["10.244.1.2"].udp()
    loose.send_to(b"q", "10.244.2.2", 53)
    with pytest.raises(TimedOut):
        lab.run(loose.recv_from(timeout=5))
    connected.connect("10.244.2.2", 53)
    connected.send(b"q")
    with pytest.raises(ConnectionRefused):
        lab.run(connected.recv_from(timeout=5))


def test_the_same_seed_gives_the_same_ports(lab: Lab) -> None:
    ports = [type(lab)(seed).pods["10.244.1.2"].udp().port for seed in (1, 1, 2)]
    assert ports[0] == ports[1] != ports[2]
