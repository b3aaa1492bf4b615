"""The same small network twice: in real network namespaces of this machine, and in the lab.

A node with four neighbours: a client Pod, two server Pods and a machine outside. `RealNet` makes
namespaces whose names begin with k8slab- and takes them away again; nothing else is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Coroutine
from typing import Any

from k8slab.linux.errors import NetworkError
from k8slab.linux.links import veth_pair
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.sim import Simulation

# neighbour -> its address and the node's address on the same wire
WIRES = {
    "client": ("10.244.3.2", "10.244.3.1"),
    "one": ("10.244.1.2", "10.244.1.1"),
    "two": ("10.244.2.2", "10.244.2.1"),
    "outside": ("172.18.0.9", "172.18.0.2"),
}
TCP_PORT, UDP_PORT, TIMEOUT = 8080, 5353, 0.4

SERVER = f"""
import socket, threading
def tcp():
    s = socket.create_server(("0.0.0.0", {TCP_PORT}), family=socket.AF_INET)
    while True:
        c, peer = s.accept()
        c.sendall(f"NAME {{peer[0]}}".encode()); c.close()
threading.Thread(target=tcp, daemon=True).start()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("0.0.0.0", {UDP_PORT}))
print("ready", flush=True)
while True:
    data, peer = u.recvfrom(100)
    u.sendto(f"NAME {{peer[0]}}".encode(), peer)
"""

CLIENT = f"""
import errno, json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def attempt(protocol, ip, port):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, kind) as s:
        s.settimeout({TIMEOUT})
        try:
            s.connect((ip, port))
            if protocol == "udp": s.send(b"?")
            return s.recv(100).decode()
        except TimeoutError:
            return "ETIMEDOUT"
        except OSError as error:
            return errno.errorcode[error.errno]
def attempts(flow):
    *where, times = flow
    first = attempt(*where)
    if first.startswith("E"): return [first]  # no dice decide about what fails
    return [first, *(attempt(*where) for _ in range(times - 1))]
with ThreadPoolExecutor(12) as pool:  # most of the time goes into waiting for time-outs
    print(json.dumps(list(pool.map(attempts, json.loads(sys.argv[1])))))
"""

Flow = tuple[str, str, int, int]  # protocol, address, port, how often


def missing() -> str:
    """Return why the real kernel cannot be asked, empty if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    for tool in ("ip", "iptables-restore", "iptables-save"):
        if shutil.which(tool) is None:
            return f"needs {tool}"
    name = f"k8slab-{os.getpid()}-probe"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return "may not make network namespaces"
    text = "*nat\n-A OUTPUT -p tcp -m statistic --mode random --probability 0.5 -j ACCEPT\nCOMMIT\n"
    command = ["ip", "netns", "exec", name, "iptables-restore"]
    failed = subprocess.run(command, input=text, text=True, capture_output=True).returncode
    subprocess.run(["ip", "netns", "del", name], check=True)
    return "this kernel's netfilter is not complete" if failed else ""


class RealNet:
    """Namespaces of this machine; `close` takes them away."""

    client = CLIENT

    def __init__(self) -> None:
        self.prefix = f"k8slab-{os.getpid()}"
        self.made: list[str] = []
        self.servers: list[subprocess.Popen[str]] = []
        self.build()

    def build(self) -> None:
        """Make the namespaces and the wires between them."""
        self._namespace("node")
        self.inside("node", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        for name, (ip, gateway) in WIRES.items():
            self._namespace(name)
            self._cable(name, ip, gateway)
        self.inside("node", "ip", "route", "add", "default", "via", WIRES["outside"][0])

    def _namespace(self, name: str) -> None:
        self._run("ip", "netns", "add", f"{self.prefix}-{name}")
        self.made.append(name)
        self.inside(name, "ip", "link", "set", "lo", "up")

    def _cable(self, name: str, ip: str, gateway: str) -> None:
        node, other = f"{self.prefix}-node", f"{self.prefix}-{name}"
        peer = ("peer", "name", "eth0", "netns", other)
        self._run("ip", "link", "add", name, "netns", node, "type", "veth", *peer)
        self.inside("node", "ip", "addr", "add", f"{gateway}/24", "dev", name)
        self.inside("node", "ip", "link", "set", name, "up")
        self.inside(name, "ip", "addr", "add", f"{ip}/24", "dev", "eth0")
        self.inside(name, "ip", "link", "set", "eth0", "up")
        self.inside(name, "ip", "route", "add", "default", "via", gateway)

    def inside(self, name: str, *command: str, text: str = "") -> str:
        """Run a command in a namespace and return what it prints."""
        return self._run("ip", "netns", "exec", f"{self.prefix}-{name}", *command, text=text)

    def _run(self, *command: str, text: str = "") -> str:
        done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)[:200]}: {done.stderr}"
        return done.stdout

    def serve(self, name: str) -> None:
        """Start the server program."""
        self._serve(name, SERVER)

    def _serve(self, name: str, program: str) -> None:
        program = program.replace("NAME", name)
        command = ["ip", "netns", "exec", f"{self.prefix}-{name}", sys.executable, "-c", program]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"

    def ask(self, name: str, flows: list[Flow]) -> list[list[str]]:
        """Return the outcomes of each flow, started in that namespace."""
        answers: list[list[str]] = json.loads(
            self.inside(name, sys.executable, "-c", self.client, json.dumps(flows))
        )
        return answers

    def close(self) -> None:
        """Stop the servers and remove the namespaces."""
        for server in self.servers:
            server.kill()
            server.wait()
            assert server.stdout is not None
            server.stdout.close()
        for name in self.made:
            subprocess.run(["ip", "netns", "del", f"{self.prefix}-{name}"], check=True)


class LabNet:
    """The same network in the lab."""

    wires = WIRES

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        self.spaces: dict[str, NetNamespace] = {}
        self.build()

    def build(self) -> None:
        """Make the namespaces and the wires between them."""
        self.spaces = {name: NetNamespace(self.sim, name) for name in ("node", *self.wires)}
        node = self.spaces["node"]
        node.ip_forward = node.ip6_forward = True
        for name, (ip, gateway) in self.wires.items():
            outer, inner = veth_pair(node, name, self.spaces[name], "eth0")
            length = 64 if ":" in ip else 24
            outer.add_address(f"{gateway}/{length}")
            inner.add_address(f"{ip}/{length}")
            default = Route(destination="default", device="eth0", gateway=gateway)
            self.spaces[name].routes_for(ip).add(default)
        gateway = self.wires["outside"][0]
        out = Route(destination="default", device="outside", gateway=gateway)
        node.routes_for(gateway).add(out)

    def serve(self, name: str) -> None:
        """Start the same server program."""
        self.sim.spawn(_serve_tcp(self.spaces[name], name), name)
        self.sim.spawn(_serve_udp(self.spaces[name], name), name)

    def ask(self, name: str, flows: list[Flow]) -> list[list[str]]:
        """Return the outcomes of each flow, started in that namespace."""
        return [
            [self._run(_attempt(self.spaces[name], *flow)) for _ in range(times)]
            for *flow, times in flows
        ]

    def _run(self, program: Coroutine[Any, Any, str]) -> str:
        return self.sim.complete(program, "flow", 60)


async def _serve_tcp(ns: NetNamespace, name: str) -> None:
    listener = ns.listen("0.0.0.0", TCP_PORT)
    while True:
        connection = await listener.accept()
        await connection.send(f"{name} {connection.remote[0]}".encode())
        connection.close()


async def _serve_udp(ns: NetNamespace, name: str) -> None:
    socket = ns.udp("0.0.0.0", UDP_PORT)
    while True:
        _, (ip, port) = await socket.recv_from()
        socket.send_to(f"{name} {ip}".encode(), ip, port)


async def _attempt(ns: NetNamespace, protocol: str, ip: str, port: int) -> str:
    try:
        if protocol == "tcp":
            connection = await ns.connect(ip, port, timeout=TIMEOUT)
            try:
                return (await connection.recv(TIMEOUT)).decode()
            finally:
                connection.close()
        socket = ns.udp()
        try:
            socket.connect(ip, port)
            socket.send(b"?")
            return (await socket.recv_from(TIMEOUT))[0].decode()
        finally:
            socket.close()
    except NetworkError as error:
        return error.errno_name
