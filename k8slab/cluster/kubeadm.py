"""How machines become a cluster: what `kubeadm init` and `kubeadm join` do.

The control plane starts from four files on its node's disk, which the kubelet there runs without
asking anybody. When the API server answers, the rest is applied to it like any manifest: the CNI
agent and kube-proxy as DaemonSets, CoreDNS as a Deployment behind the Service kube-dns.

Rule of use: `write_static_pods` before the kubelet starts, `init` once.

Upstream: cmd/kubeadm/app/phases
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.addons import manifests
from k8slab.api import codec, load, load_all
from k8slab.api.core import HostPathVolumeSource, Node, Pod, Volume, VolumeMount
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object, ObjectMeta
from k8slab.api.rbac import ClusterRoleBinding, RoleRef, Subject
from k8slab.client import Client, ConnectionFailed
from k8slab.control_plane.scheduler.config import parse
from k8slab.node.machine import Machine
from k8slab.sim import Simulation

STATIC_POD_PATH = "/etc/kubernetes/manifests"  # kubelet staticPodPath
SCHEDULER_CONFIG = "/etc/kubernetes/scheduler-config.yaml"
RBAC = "rbac.authorization.k8s.io"
ROLE = "node-role.kubernetes.io/control-plane"
RETRY = 0.5  # s between attempts while the API server starts


def write_static_pods(
    machine: Machine, values: Mapping[str, str], scheduler_config: str = ""
) -> None:
    """Put the manifests of the control plane on the machine's disk, and the scheduler's file."""
    for name in manifests.STATIC:
        text = manifests.text(f"static/{name}", **values)
        if name == "kube-scheduler" and scheduler_config:
            machine.disk.write(SCHEDULER_CONFIG, scheduler_config)
            text = with_extra_file(text, "config", SCHEDULER_CONFIG)
        machine.disk.write(f"{STATIC_POD_PATH}/{name}.yaml", text)


def scheduler_config(given: str | Mapping[str, Any]) -> str:
    """Return the text of a KubeSchedulerConfiguration; raises ConfigError, a ValueError."""
    text = given if isinstance(given, str) else codec.to_yaml(given)
    if text:
        parse(text)
    return text


def with_extra_file(manifest: str, flag: str, path: str) -> str:
    """Return a static Pod's manifest with a file of the node that its program is told of.

    Upstream: cmd/kubeadm/app/apis/kubeadm/v1beta4/types.go (ControlPlaneComponent)
    """
    pod = load(manifest)
    assert isinstance(pod, Pod)
    (container,) = pod.spec.containers
    mount = VolumeMount(name=flag, mountPath=path, readOnly=True)
    volume = Volume(name=flag, hostPath=HostPathVolumeSource(path=path, type="File"))
    container = replace(
        container,
        command=(*container.command, f"--{flag}={path}"),
        volumeMounts=(*container.volumeMounts, mount),
    )
    spec = replace(pod.spec, containers=(container,), volumes=(*pod.spec.volumes, volume))
    return codec.to_yaml(replace(pod, spec=spec))


async def init(
    sim: Simulation, client: Client, control_plane: str, values: Mapping[str, str]
) -> None:
    """Mark the control plane's node and apply the add-ons, waiting for what is needed."""
    await mark_control_plane(sim, client, control_plane)
    if "RBAC" in values["AUTHORIZATION_MODE"]:
        await create(sim, client, admins())
    for name in manifests.ADDONS:
        for obj in load_all(manifests.text(name, **values)):
            await create(sim, client, obj)


def admins() -> ClusterRoleBinding:
    """Return what makes those with an admin.conf administrators."""
    group = "kubeadm:cluster-admins"
    return ClusterRoleBinding(
        metadata=ObjectMeta(name=group),
        roleRef=RoleRef(apiGroup=RBAC, kind="ClusterRole", name="cluster-admin"),
        subjects=(Subject(kind="Group", name=group, apiGroup=RBAC),),
    )


async def create(sim: Simulation, client: Client, obj: Object) -> None:
    """Create the object, as soon as its namespace is there."""
    while True:
        try:
            await client.create(obj)
            return
        except (ApiError, ConnectionFailed) as failure:
            if isinstance(failure, ApiError) and failure.reason != "NotFound":
                raise
            await sim.sleep(RETRY, "kubeadm waits for a namespace")


async def mark_control_plane(sim: Simulation, client: Client, name: str) -> None:
    """Keep ordinary Pods off the node, once it has registered."""
    while True:
        try:
            node = await client.get(Node, name)
            break
        except (ApiError, ConnectionFailed):
            await sim.sleep(RETRY, "kubeadm waits for the control plane")
    taints = [{"key": t.key, "effect": t.effect} for t in node.spec.taints]
    taints.append({"key": ROLE, "effect": "NoSchedule"})
    labels = {ROLE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
    await client.merge(Node, name, {"metadata": {"labels": labels}, "spec": {"taints": taints}})
