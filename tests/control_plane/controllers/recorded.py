"""Lives a recorded scenario through again, all of it, and says how ours differs from the real one.

The operator is our kubectl, the scheduler is ours, the kubelets are the same small program as in
the recording. What is compared: per actor the sequence of writes (other than status and Events),
what the controllers told, and what there is at the end.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.api import load, load_all, to_dict
from k8slab.api.core import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
    PodIP,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, controller_of, timestamp
from k8slab.api.scheme import resource_for
from k8slab.client import Client, Listing, Request
from k8slab.control_plane.scheduler import Scheduler
from k8slab.kubectl import Kubectl
from tests.control_plane.controllers.conftest import ControllerLab, Hands, Wire

RECORDED = Path(__file__).parents[4] / "shared" / "reference" / "controllers.json"
NAMESPACE = "lab"
SHORT = {"ControllerRevision": "CR", "Pod": "p", "ReplicaSet": "RS", "EndpointSlice": "s"}
WRITE_TIME = 0.02  # s, of a kubelet's write
SCHEDULER = "default-scheduler"
GRACE = 8.0  # s, the recording's node-monitor-grace-period


class Books(Wire):
    """A wire that notes every write that was done."""

    notes: list[tuple[str, Request, Any]]

    async def request(self, request: Request) -> Any:
        before = None
        if request.verb == "delete":
            before = self.server.registries[request.group, request.resource].cache.get(
                request.namespace, request.name
            )
        answer = await super().request(request)
        if request.verb not in ("get", "list", "watch") and not request.dry_run:
            self.notes.append((request.user, request, before or answer))
        return answer


class Kubelets(Hands):
    """The recording's kubelets: a Pod is Running and Ready 0.3 s after its binding.

    All of them were one small program, which wrote one thing after the other.
    """

    turn = 0.0

    async def queue_up(self) -> None:
        sim = self.lab.sim
        self.turn = max(self.turn, sim.now) + WRITE_TIME
        await sim.sleep(self.turn - sim.now)

    def on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            return
        leaving = new.metadata.deletionTimestamp is not None
        if leaving and (old is None or old.metadata.deletionTimestamp is None):
            self.lab.sim.spawn(self.end(new), "end")
        elif new.spec.nodeName and (old is None or not old.spec.nodeName):
            self.lab.sim.spawn(self.begin(new), "begin")

    async def begin(self, pod: Pod) -> None:
        notes = pod.metadata.annotations
        await self.lab.sim.sleep(0.3)
        if pod.spec.nodeName in self.dead:
            return
        broken = any("broken" in c.image for c in pod.spec.containers)
        late = float(notes.get("fake/readydelay", "0").rstrip("s") or 0)
        ready = not broken and notes.get("fake/ready") != "false" and not late
        await self.tell(pod, ready, broken)
        if late:
            await self.lab.sim.sleep(late)
            await self.tell(pod, True, False)
        if "fake/exit" in notes:
            await self.exit(pod, *notes["fake/exit"].split(":"))

    async def tell(self, pod: Pod, ready: bool, broken: bool) -> None:
        meta = pod.metadata
        self.next_ip = getattr(self, "next_ip", 0) + 1
        ip = f"10.244.{self.next_ip // 250}.{self.next_ip % 250 + 1}"
        now = timestamp(self.lab.sim.now)
        running = ContainerState(running=ContainerStateRunning(startedAt=now))
        waiting = ContainerState(waiting=ContainerStateWaiting(reason="ImagePullBackOff"))
        try:
            await self.queue_up()
            newest = await self.client.get(Pod, meta.name, meta.namespace)
            if newest.metadata.deletionTimestamp is not None:
                return
            statuses = tuple(
                ContainerStatus(
                    name=c.name,
                    image=c.image,
                    ready=ready,
                    state=waiting if broken else running,
                )
                for c in pod.spec.containers
            )
            condition = PodCondition(type="Ready", status=str(ready), lastTransitionTime=now)
            kept = tuple(c for c in newest.status.conditions if c.type != "Ready")
            status = replace(
                newest.status,
                phase="Pending" if broken else "Running",
                conditions=(*kept, condition),
                podIP=newest.status.podIP or ip,
                podIPs=newest.status.podIPs or (PodIP(ip=ip),),
                containerStatuses=statuses,
            )
            await self.client.update_status(replace(newest, status=status))
        except ApiError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise

    async def end(self, pod: Pod) -> None:
        if pod.spec.nodeName in self.dead or not pod.spec.nodeName:
            return
        meta = pod.metadata
        await self.lab.sim.sleep(float(meta.annotations.get("fake/termdelay", "0.4").rstrip("s")))
        try:
            await self.queue_up()
            newest = await self.client.get(Pod, meta.name, meta.namespace)
            ended = ContainerStateTerminated(
                exitCode=0, finishedAt=timestamp(self.lab.sim.now), reason="Completed"
            )
            statuses = tuple(
                replace(s, ready=False, state=ContainerState(terminated=ended))
                for s in newest.status.containerStatuses
            )
            kept = tuple(c for c in newest.status.conditions if c.type != "Ready")
            gone = PodCondition(
                type="Ready", status="False", lastTransitionTime=timestamp(self.lab.sim.now)
            )
            status = replace(newest.status, containerStatuses=statuses, conditions=(*kept, gone))
            await self.client.update_status(replace(newest, status=status))
            await self.queue_up()
            now = DeleteOptions(gracePeriodSeconds=0)
            await self.client.delete(Pod, meta.name, meta.namespace, now)
        except ApiError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise


class RecordedLab(ControllerLab):
    """Four nodes in two zones, all controllers, the scheduler, and the recording's kubelets."""

    hands_type = Kubelets

    def __init__(self) -> None:
        self.notes: list[tuple[str, Request, Any]] = []
        super().__init__(nodes=0)
        for number in (1, 2, 3, 4):
            self.add_node(f"node-{number}", "zone-a" if number < 3 else "zone-b")
        scheduler = Scheduler(self.sim, self.client("system:kube-scheduler"))
        self.sim.spawn(scheduler.run(), "kube-scheduler")
        self.failures: list[str] = []
        self.run(2)
        self.notes.clear()
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        self.run(0.5)

    def client(self, user: str) -> Client:
        wire = Books(self.sim, self.server)
        wire.notes = self.notes
        return Client(wire, user)

    def request(self, verb: str, kind: str, name: str = "", **fields: Any) -> Any:
        if resource_for(kind).namespaced:
            fields.setdefault("namespace", NAMESPACE)
        return super().request(verb, kind, name, **fields)

    def add_node(self, name: str, zone: str = "zone-a") -> Any:
        node = super().add_node(name, zone)
        spec = {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
        spec["allocatable"] = spec["capacity"]
        self.patch("Node", name, {"status": spec}, subresource="status")
        return node

    def last_heartbeat(self, node: str) -> float | None:
        """The recording's grace period is 8 s, ours 50 s: a stopped node is as old as that."""
        stopped = self.heartbeats.get(node)
        return self.sim.now if stopped is None else stopped - (50.0 - GRACE)

    def kubectl(self, command: str, stdin: str = "") -> str:
        kubectl = Kubectl(
            self.client("kubernetes-admin").transport,
            lambda: self.sim.now,
            sleep=self.sim.sleep,
            namespace=NAMESPACE,
        )
        return self.sim.complete(kubectl.run(command, stdin), command, timeout=600).output


def scenario(name: str) -> dict[str, Any]:
    """Return one of the recorded scenarios."""
    recorded = json.loads(RECORDED.read_text())
    return next(found for found in recorded if found["id"] == name)


def live_through(found: dict[str, Any]) -> RecordedLab:
    """Do what the operator did."""
    lab = RecordedLab()
    for step in found["steps"]:
        if "apply" in step:
            apply(lab, step["apply"])
        elif "kubectl" in step:
            command = own_names(lab, step["kubectl"]).replace("<ns>", NAMESPACE)
            lab.kubectl(command)
        elif "http" in step:
            send(lab, own_names(lab, step["http"]), step.get("body"))
        elif "fault" in step:
            fault(lab, step["fault"])
        elif "until" in step:
            try:
                lab.until(condition(lab, step["until"]), timeout=120)
            except AssertionError:
                lab.failures.append(step["until"])
        elif "settle" in step:
            lab.run(step["settle"])
    return lab


def apply(lab: RecordedLab, text: str) -> None:
    for obj in load_all(text):
        try:
            lab.request("create", obj.kind, body=obj)
        except ApiError:
            lab.kubectl("apply -f -", text)


def send(lab: RecordedLab, call: str, body: dict[str, Any] | None) -> None:
    verb, path = call.split(" ")
    parts = path.replace("<ns>", NAMESPACE).split("/")
    resource, name = parts[parts.index("namespaces") + 2], parts[-1]
    try:
        if "eviction" in path:
            body = {**(body or {}), "metadata": {"name": parts[-2]}}
            lab.request("create", "Pod", parts[-2], subresource="eviction", body=body)
        elif verb == "POST":
            body = dict(body or {})
            for owner in body["metadata"].get("ownerReferences", ()):
                real = [o for o in lab.all(owner["kind"]) if o.metadata.name == owner["name"]]
                owner["uid"] = real[0].metadata.uid if real else owner["uid"]
            lab.request("create", body["kind"], body=load(body))
        else:
            lab.request("delete", {"configmaps": "ConfigMap"}[resource], name)
    except ApiError:
        return


def fault(lab: RecordedLab, words: str) -> None:
    node = "node-2"
    if "stops" in words:
        node = next(p.spec.nodeName for p in lab.all("Pod"))
        lab.heartbeats[node] = lab.sim.now
        lab.hands.dead.add(node)
        return
    for node in list(lab.heartbeats):
        del lab.heartbeats[node]
        lab.hands.dead.discard(node)
        told = PodCondition(type="Ready", status="True", lastTransitionTime=timestamp(lab.sim.now))
        status = {"conditions": [{"type": "Ready", "status": told.status}]}
        lab.patch("Node", node, {"status": status}, subresource="status")
        for pod in lab.all("Pod"):
            if pod.spec.nodeName == node:
                ends = pod.metadata.deletionTimestamp is not None
                hands: Any = lab.hands
                lab.sim.spawn(hands.end(pod) if ends else hands.tell(pod, True, False), "back")


def own_names(lab: RecordedLab, text: str) -> str:
    """Put our names in the place of the recording's symbols."""
    names = {symbol: name for name, symbol in symbols(lab).items()}
    return re.sub(r"[a-z0-9]+(-[A-Za-z]+\d+)+", lambda m: names.get(m[0], m[0]), text)


def condition(lab: RecordedLab, words: str) -> Callable[[], bool]:
    number, _, what = words.partition(" ")

    def holds() -> bool:
        if what == "pods":
            return len(lab.all("Pod")) == int(number)
        if what == "pods Ready":
            ready = [p for p in lab.all("Pod") if _true(p, "Ready")]
            return len(ready) == int(number)
        if what == "ready":
            return bool(lab.all("StatefulSet")[0].status.readyReplicas == int(number))
        if words == "revisions equal":
            status = lab.all("StatefulSet")[0].status
            return bool(status.currentRevision == status.updateRevision)
        if words == "job finished":
            return any(_true(lab.all("Job")[0], t) for t in ("Complete", "Failed"))
        if words.startswith("rollout of"):
            found = lab.all("Deployment")[0]
            status, wanted = found.status, found.spec.replicas
            counts = (status.updatedReplicas, status.replicas, status.availableReplicas)
            seen = status.observedGeneration >= found.metadata.generation
            return seen and counts == (wanted,) * 3
        if words == "ProgressDeadlineExceeded":
            found = lab.all("Deployment")[0].status.conditions
            return any(c.reason == words for c in found)
        if words == "namespace gone":
            return all(n.metadata.name != NAMESPACE for n in lab.all("Namespace"))
        tainted = any(node.spec.taints for node in lab.all("Node"))
        return tainted if words == "node tainted" else not tainted

    return holds


def _true(obj: Any, type_: str) -> bool:
    return any(c.type == type_ and c.status == "True" for c in obj.status.conditions)


# -- what was written


def symbols(lab: RecordedLab) -> dict[str, str]:
    """Return the recording's word for each name that was generated: web-RS1, web-RS1-p2."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for _, request, answer in lab.notes:
        kind = getattr(answer, "kind", "")
        if request.verb != "create" or kind not in SHORT or request.subresource:
            continue
        name = answer.metadata.name
        owner = controller_of(answer)
        stem = found.get(owner.name, owner.name) if owner is not None else name
        if owner is None:
            found[name] = name
            continue
        base = f"{stem}-{SHORT[kind]}"
        counts[base] = counts.get(base, 0) + 1
        found.setdefault(name, f"{base}{counts[base]}")
    return found


def core_writes(lab: RecordedLab) -> dict[str, list[str]]:
    """Return what each actor wrote, as the recording says it."""
    names = symbols(lab)
    found: dict[str, list[str]] = {}
    for user, request, answer in lab.notes:
        actor = user.rpartition(":")[2]
        if request.subresource == "status" or request.resource in ("events", "leases"):
            continue
        name = request.name or getattr(getattr(answer, "metadata", None), "name", "")
        name = "" if isinstance(answer, Listing) else names.get(name, name)
        name = re.sub(r"-(p|s)\d+$", r"-\1*", name)
        name = "<ns>" if request.resource == "namespaces" else name
        resource = "/".join(filter(None, (request.resource, request.subresource)))
        text = f"{request.verb} {resource} {name}"
        text += _fields(request, answer)
        found.setdefault(actor, []).append(text)
    return found


def _fields(request: Request, answer: Any) -> str:
    if request.verb.startswith("delete"):
        return ""
    if request.resource == "replicasets" and request.verb in ("create", "update"):
        return f" replicas={answer.spec.replicas}"
    if request.resource == "nodes":
        taints = [f"{t.key}:{t.effect}" for t in answer.spec.taints]
        return f" {','.join(sorted(taints))}"
    if request.resource == "endpointslices" and answer.endpoints:
        return f" {','.join(sorted(map(_endpoint, answer.endpoints)))}"
    return ""


def _endpoint(endpoint: Any) -> str:
    told = endpoint.conditions
    if told.terminating:
        return "serving-terminating" if told.serving else "terminating"
    return "ready" if told.ready else "notready"


# -- what there is at the end


def final_state(lab: RecordedLab, recorded: dict[str, Any]) -> list[str]:
    """Return how what there is differs from what there was."""
    different = [f"never came true: {words}" for words in lab.failures]
    names = symbols(lab)
    if "pods" in recorded and not isinstance(recorded["pods"], list):
        count = len(lab.all("Pod"))
        if count != recorded["pods"]:
            different.append(f"{count} pods instead of {recorded['pods']}")
    kinds = {
        "deployments": "Deployment",
        "replicasets": "ReplicaSet",
        "statefulsets": "StatefulSet",
        "daemonsets": "DaemonSet",
        "jobs": "Job",
    }
    for plural, kind in kinds.items():
        ours = {names.get(o.metadata.name, o.metadata.name): o for o in lab.all(kind)}
        for expected in recorded.get(plural, ()):
            found = ours.pop(expected["name"], None)
            if found is None:
                different.append(f"no {kind} {expected['name']}")
                continue
            different += _status(kind, expected, found)
        different += [f"one more {kind}: {name}" for name in ours]
    return different


def _status(kind: str, expected: dict[str, Any], found: Any) -> list[str]:
    told = to_dict(found).get("status", {})
    numbers = {k: v for k, v in expected.get("status", {}).items() if isinstance(v, int)}
    ours = {k: v for k, v in told.items() if isinstance(v, int)}
    different = []
    if {k: v for k, v in numbers.items() if v} != {k: v for k, v in ours.items() if v}:
        different.append(f"{kind} {expected['name']}: {ours} instead of {numbers}")
    key = lambda c: (c["type"], c["status"], c.get("reason", ""))  # noqa: E731
    wanted = sorted(map(key, expected.get("conditions", ())))
    have = sorted(map(key, msgspec.to_builtins(told.get("conditions", ()))))
    if wanted != have:
        different.append(f"{kind} {expected['name']}: {have} instead of {wanted}")
    return different


# -- what was told


def told(lab: RecordedLab) -> set[tuple[str, str, str, str]]:
    """Return the controllers' Events: who, on what, reason and message."""
    names = symbols(lab)

    def symbol(name: re.Match[str]) -> str:
        stem, dash, suffix = name[0].rpartition("-")
        return names.get(name[0]) or names.get(stem, stem) + dash + suffix

    def said(text: str) -> str:
        words = re.sub(r"[a-z0-9]+(?:-[a-z0-9]+)+", symbol, text)
        return _plain(words.replace(NAMESPACE, "<ns>"))

    return {
        (
            event.source.component or event.reportingComponent,
            said(f"{event.involvedObject.kind}/{event.involvedObject.name}"),
            event.reason,
            said(event.message),
        )
        for event in lab.all("Event")
        if (event.source.component or event.reportingComponent) != SCHEDULER
    }


def recorded_events(found: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """Return the same of the recording; what the scheduler tells is tested elsewhere."""
    return {
        (event["source"], _plain(event["on"]), event["reason"], _plain(event["message"]))
        for event in found["events"]
        if event["source"] not in (SCHEDULER, "kubelet") and not event["on"].startswith("Node/")
    }


def _plain(text: str) -> str:
    """Leave out which of the Pods it was; a Pod that was refused has no symbol."""
    text = re.sub(r"-p\d+\b", "-p*", text)
    return re.sub(r'pods "(\S+)-[a-z0-9]{5}"', r'pods "\1-*"', text)


def compare(found: dict[str, Any]) -> tuple[int, int, list[str]]:
    """Return how many sequences, sets of Events and ends agree, of how many, and why not."""
    lab = live_through(found)
    ours = core_writes(lab)
    matched = total = 0
    reasons: list[str] = []
    for actor, recorded in found["core_by_actor"].items():
        wanted, have = list(recorded["sequence"]), ours.get(actor, [])
        if not recorded["stable_over_runs"]:
            if not recorded.get("same_multiset"):
                continue
            wanted, have = sorted(wanted), sorted(have)
        total += 1
        if wanted == have:
            matched += 1
        else:
            lines = difflib.unified_diff(wanted, have, "recorded", "ours", "", "", 0, "")
            reasons.append(f"{found['id']} {actor}:\n" + "\n".join(lines))
    if found["id"] != "namespace-delete":  # its Events went with it
        total += 1
        wanted_events, our_events = recorded_events(found), told(lab)
        matched += wanted_events == our_events
        for text in sorted(wanted_events ^ our_events):
            reasons.append(f"{found['id']} told by one only: {text}")
    total += 1
    different = final_state(lab, found["final"])
    matched += not different
    reasons += [f"{found['id']} at the end: {text}" for text in different]
    return matched, total, reasons
