"""Breaking things, as the world does: power, wires, processes, operators.

A killed container comes back, because its kubelet starts it again. To stop a component for good
an operator takes away what wants it to run: a static Pod's file, a DaemonSet's nodes, a
Deployment's replicas. A machine without power loses all that runs on it, a machine without a
network loses nothing but its contacts.

Rule of use: functions of the `World`; `Cluster` offers them under the same names.

Upstream: none
"""

from __future__ import annotations

from typing import Any

from k8slab.addons import manifests
from k8slab.api.apps import DaemonSet, Deployment
from k8slab.client import Client
from k8slab.cluster.kubeadm import STATIC_POD_PATH
from k8slab.cluster.world import CONTROL_PLANE, Host, World

SIGKILL = 9
AWAY = "etc/kubernetes/stopped"  # where the manifests of stopped components lie
NOWHERE = {"k8slab.io/stopped": "true"}  # a node selector that no node satisfies


def power_off(world: World, host: Host) -> None:
    """Pull the plug: kubelet, containers and sockets are gone, the disk stays."""
    if not host.powered:
        return
    host.powered = False
    host.group.kill()
    host.containerd.power_off()
    host.machine.net.interfaces["eth0"].up = False
    world.api.cut(host.machine.name)


def power_on(world: World, host: Host) -> None:
    """Switch the machine on: its kubelet starts and finds what has to run there."""
    if host.powered:
        return
    host.powered = True
    host.machine.net.interfaces["eth0"].up = True
    world.api.join(host.machine.name)
    world.renew_kubelet(host)
    world.start_kubelet(host)


def cut(world: World, host: Host) -> None:
    """Cut a machine off from all others; what runs on it goes on."""
    world.api.cut(host.machine.name)
    host.machine.net.interfaces["eth0"].up = False
    host.kubelet.disconnected()


def join(world: World, host: Host) -> None:
    """Connect the machine again."""
    world.api.join(host.machine.name)
    host.machine.net.interfaces["eth0"].up = True
    host.kubelet.reconnected()


def containers_of(world: World, component: str) -> list[tuple[Host, str]]:
    """Return (host, container id) of a component: "kube-scheduler", "kube-proxy/worker-1"."""
    name, _, where = component.partition("/")
    found = [
        (host, status.id)
        for host in world.hosts.values()
        if where in ("", host.machine.name)
        for status in host.containerd.containers()
        if status.state == "RUNNING" and status.config.name == name
    ]
    if not found:
        running = {
            c.config.name: None for h in world.hosts.values() for c in h.containerd.containers()
        }
        raise ValueError(
            f"no container of {component!r} is running; running are {', '.join(sorted(running))}"
        )
    return found


def kill(world: World, component: str) -> None:
    """Kill the component's containers with SIGKILL; their kubelets start them again."""
    name, _, where = component.partition("/")
    if name == "kubelet":
        for host in _named(world, where):
            host.group.kill()
        return
    for host, container_id in containers_of(world, component):
        host.containerd.kill(container_id, SIGKILL)


async def stop(world: World, component: str) -> None:
    """Take away what wants the component to run."""
    name, _, _ = component.partition("/")
    if name == "kubelet":
        kill(world, component)
    elif name in manifests.STATIC:
        _move(world, name, STATIC_POD_PATH, AWAY)
    elif name == "coredns":
        await _admin(world).merge(Deployment, name, {"spec": {"replicas": 0}}, "kube-system")
    elif name in manifests.ADDONS:
        await _select(world, name, NOWHERE)
    else:
        raise _unknown(component)


async def start(world: World, component: str) -> None:
    """Give back what `stop` took away."""
    name, _, where = component.partition("/")
    if name == "kubelet":
        for host in _named(world, where):
            world.renew_kubelet(host)
            world.start_kubelet(host)
    elif name in manifests.STATIC:
        _move(world, name, AWAY, STATIC_POD_PATH)
    elif name == "coredns":
        await _admin(world).merge(Deployment, name, {"spec": {"replicas": 2}}, "kube-system")
    elif name in manifests.ADDONS:
        await _select(world, name, dict.fromkeys(NOWHERE))
    else:
        raise _unknown(component)


def _move(world: World, name: str, source: str, target: str) -> None:
    disk = world.hosts[CONTROL_PLANE].machine.disk
    path = f"{source}/{name}.yaml"
    try:
        text = disk.read(path)
    except FileNotFoundError:
        raise ValueError(f"{name}: there is no /{path.strip('/')}") from None
    disk.write(f"{target}/{name}.yaml", text)
    disk.remove(path)


async def _select(world: World, name: str, labels: dict[str, Any]) -> None:
    patch = {"spec": {"template": {"spec": {"nodeSelector": labels}}}}
    await _admin(world).patch(DaemonSet, name, patch, "kube-system")


def _admin(world: World) -> Client:
    return Client(world.transport("you"), "kubernetes-admin")


def _named(world: World, name: str) -> list[Host]:
    if name and name not in world.hosts:
        raise ValueError(f"no machine {name!r}: the machines are {', '.join(world.hosts)}")
    return [world.hosts[name]] if name else list(world.hosts.values())


def _unknown(component: str) -> ValueError:
    known = ", ".join((*manifests.STATIC, *manifests.ADDONS, "kubelet/NODE"))
    return ValueError(f"no component {component!r}: the components are {known}")
