"""The learner's front door: a whole cluster, booted and under their hand.

    cluster = Cluster(workers=3, seed=7)     # boots in virtual time
    cluster.kubectl("get nodes")             # what kubectl prints
    cluster.run(30)                          # let 30 virtual seconds pass
    cluster.request("pod/client", "http://web")

The cluster itself is made of parts that know nothing of this class. It only drives the clock,
passes on commands, and looks.

Rule of use: time passes only in `run`, `step`, `settle`, `run_until` and in commands that wait.

Upstream: none
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from k8slab.api.core import Node, Pod
from k8slab.client import Client, Latency
from k8slab.cluster import addresses, kubeadm
from k8slab.cluster.asking import Asking
from k8slab.cluster.breaking import COMMAND_LIMIT, Breaking
from k8slab.cluster.breakpoints import Breakpoints, Stop
from k8slab.cluster.coming_up import is_up, what_is_missing
from k8slab.cluster.conditions import condition
from k8slab.cluster.node_shell import NodeShell, Text
from k8slab.cluster.opening import Opening
from k8slab.cluster.recording import Recording, read_text, recorded
from k8slab.cluster.time_machine import TimeMachine
from k8slab.cluster.turn import in_turn
from k8slab.cluster.view import View
from k8slab.cluster.world import CONTROL_PLANE, Host, World
from k8slab.control_plane.etcd import Backend
from k8slab.node.interfaces import Program
from k8slab.sim import Simulation, Timer, Trace

if TYPE_CHECKING:
    from k8slab.cluster.explanation import Explanation

BOOT_LIMIT = 300.0  # virtual seconds in which a cluster must be up
QUIET = 5.0  # virtual seconds without a write after which a cluster counts as settled
ZONES = ("zone-a", "zone-b", "zone-c")


class Cluster(Asking, Breaking, Opening, TimeMachine):
    """A Kubernetes cluster of one control-plane node and some workers."""

    def __init__(
        self,
        workers: int = 3,
        seed: int = 0,
        *,
        latency: Latency | None = None,
        replace: Mapping[str, Any] | None = None,
        heartbeats: str = "lazy",
        proxy_mode: str = "iptables",
        ip_families: Sequence[str] = ("IPv4",),
        rbac: bool = False,
        scheduler: str | Mapping[str, Any] = "",
        cluster_dns: Sequence[str] = (),
        boot: bool = True,
    ) -> None:
        """Make a cluster, and boot it.

        `scheduler` is a KubeSchedulerConfiguration, text or plain data; ValueError for a bad one.
        """
        if workers < 0:
            raise ValueError(f"a cluster has 0 or more workers, got {workers}")
        self.seed = seed
        self.made_of: dict[str, Any] = {
            "workers": workers,
            "seed": seed,
            "latency": latency,
            "replace": replace,
            "heartbeats": heartbeats,
            "proxy_mode": proxy_mode,
            "ip_families": tuple(ip_families),
            "rbac": rbac,
            "scheduler": kubeadm.scheduler_config(scheduler),
            "cluster_dns": tuple(cluster_dns),
        }
        self.turn = threading.RLock()  # held by whoever moves the clock or acts
        self.sim = Simulation(seed)
        self.breakpoints = Breakpoints(self)
        self.recording = Recording(self.sim, read_text)
        subnets = addresses.subnets(workers + 1, ip_families)
        self.world = World(self.sim, latency or Latency(), replace or {}, subnets, heartbeats)
        self.world.set_proxy_mode(proxy_mode)
        self.world.rbac = rbac
        self.world.set_cluster_dns(tuple(cluster_dns))
        self._add_hosts(workers)
        self._kubectl: Any = None
        bring_magic()
        if boot:
            self.boot()

    @recorded
    def boot(self) -> None:
        """Switch the machines on and wait until the cluster is up.

        Raises TimeoutError, which says what is missing, if it does not come up.
        """
        for host in self.world.hosts.values():
            self.world.start_kubelet(host)
        client = Client(self.world.transport("kubeadm"), "system:kubeadm")
        init = kubeadm.init(self.sim, client, CONTROL_PLANE, self.world.placeholders)
        self.sim.complete(init, "kubeadm init", BOOT_LIMIT)
        machines = len(self.world.hosts)
        try:
            self.run_until(lambda cluster: is_up(cluster.view, machines), BOOT_LIMIT)
        except TimeoutError:
            missing = what_is_missing(self.view)
            text = f"the cluster did not come up in {BOOT_LIMIT:g} virtual seconds; {missing}"
            raise TimeoutError(text) from None

    # -- time

    @property
    def now(self) -> float:
        """Virtual seconds since the machines were switched on."""
        return self.sim.now

    @property
    def trace(self) -> Trace:
        """Everything that happened so far, each thing with its cause."""
        return self.sim.trace

    @in_turn
    def run(self, seconds: float) -> Stop | None:
        """Let so many virtual seconds pass; return the breakpoint that stopped it, if one did."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: run({seconds:g})")
        with self.breakpoints.armed():
            self.sim.run(self.now + seconds)
        return self.breakpoints.last

    @in_turn
    def step(self) -> Timer | None:
        """Let the next thing happen and return it."""
        return self.sim.step()

    @in_turn
    def pending(self) -> list[Timer]:
        """Return what is about to happen, soonest first."""
        return self.sim.pending()

    @in_turn
    def run_until(self, what: str | Callable[[Cluster], object], timeout: float = 600.0) -> float:
        """Run until something holds, and return the virtual time at which it did.

        `what` is a function of the cluster, or words such as "deployment/web available",
        "pod/web ready", "pod/web phase=Running", "pod/web deleted". Raises TimeoutError after
        `timeout` virtual seconds; it then is as far as it got.
        """
        holds = condition(self.view, what) if isinstance(what, str) else what
        deadline = self.now + timeout
        with self.breakpoints.armed():
            while not holds(self):
                when = self.sim.next_time()
                if when is None or when > deadline:
                    self.sim.run(deadline)
                    wanted = what if isinstance(what, str) else "the condition"
                    raise TimeoutError(f"{wanted}: not so after {timeout:g} virtual seconds")
                self._run_to_the_next_record(deadline)
        return self.now

    @in_turn
    def settle(self, quiet: float = QUIET, timeout: float = 600.0) -> float:
        """Run until nobody has written to the API server for `quiet` virtual seconds."""
        deadline = self.now + timeout
        revision, since = self.backend.revision, self.now
        with self.breakpoints.armed():
            while self.now < deadline and self.now - since < quiet:
                when = self.sim.next_time()
                if when is None or when > since + quiet:
                    self.sim.run(min(since + quiet, deadline))
                    break
                self.sim.step()
                if self.backend.revision != revision:
                    revision, since = self.backend.revision, self.now
        return self.now

    # -- commands

    @recorded
    def kubectl(self, command: str, stdin: str = "") -> Text:
        """Run a kubectl command and return what it prints, errors included."""
        result = self.sim.complete(
            self._get_kubectl().run(command, stdin), f"kubectl {command}", COMMAND_LIMIT
        )
        return Text(result.output)

    def apply(self, manifest: str) -> Text:
        """Apply YAML text, as `kubectl apply -f -` does."""
        return self.kubectl("apply -f -", stdin=manifest)

    def image(self, name: str, **fields: Any) -> Callable[[Program], Program]:
        """Make the decorated program an image that can be pulled; docs/writing-images.md tells all.

        `fields` are those of `Image`: size, ports, entrypoint ... Raises ValueError for bad names.
        """
        return self.world.registry.image(name, **fields)

    def node(self, name: str) -> NodeShell:
        """Return a shell on one of the machines."""
        return NodeShell(self._host(name), self)

    # -- looking

    @property
    def backend(self) -> Backend:
        """What lies on etcd's disk."""
        folder = self.world.hosts[CONTROL_PLANE].machine.disk
        found = folder.files.get("var/lib/etcd/member/snap/db")
        return found if isinstance(found, Backend) else Backend()

    @property
    def view(self) -> View:
        """All objects as they are now; looking takes no time and causes nothing."""
        return View(self.backend, self.backend.revision, self.now)

    @in_turn
    def why(self, what: Any, field: str = "") -> Explanation:
        """Explain how something came to be as it is, and what is wrong with it.

        `what` is "pod/web", an object, the answer to a request, or a trace id; with `field`, such
        as "spec.nodeName", it is about that field of the object.
        """
        from k8slab.cluster.why import explain

        return explain(self, what, field)

    @in_turn
    def why_not(self, pod: Any, node: str) -> Explanation:
        """Explain why a Pod is not on a node: what the scheduler said of that node."""
        from k8slab.cluster.why_not import explain_not

        return explain_not(self, pod, node)

    def map(self, **options: Any) -> Any:
        """Return the figure of the architecture: nodes, components, Pods."""
        from k8slab.viz import architecture_map

        return architecture_map(self, **options)

    def explore(self) -> Any:
        """Return the live map with its time bar."""
        from k8slab.viz import explorer

        return explorer(self)

    # -- inside

    def _run_to_the_next_record(self, deadline: float) -> None:
        sim, trace = self.sim, self.trace
        before = len(trace)
        while len(trace) == before:
            when = sim.next_time()
            if when is None or when > deadline:
                break
            sim.run_first()

    def _host(self, name: str) -> Host:
        host = self.world.hosts.get(name)
        if host is None:
            known = ", ".join(self.world.hosts)
            raise KeyError(f"no machine {name!r}: the machines are {known}")
        return host

    def _get_kubectl(self) -> Any:
        if self._kubectl is None:
            from k8slab.gateway.gateway import Gateway
            from k8slab.kubectl import Kubectl

            door = self.world.transport("you")
            self._kubectl = Kubectl(
                door,
                lambda: self.now,
                read_file=self.recording.read_file,
                sleep=self.sim.sleep,
                http=Gateway(self.sim, door).fetch,
            )
        return self._kubectl

    def _add_hosts(self, workers: int) -> None:
        control = self.world.add_host(CONTROL_PLANE, addresses.CONTROL_PLANE, {})
        config = self.made_of["scheduler"]
        kubeadm.write_static_pods(control.machine, self.world.placeholders, config)
        for number in range(1, workers + 1):
            zone = ZONES[(number - 1) % len(ZONES)]
            labels = {"topology.kubernetes.io/zone": zone}
            self.world.add_host(f"worker-{number}", addresses.FIRST_WORKER + number - 1, labels)

    def __repr__(self) -> str:
        view = self.view
        nodes, pods = len(view.list(Node)), len(view.list(Pod))
        return f"<Cluster of {nodes} nodes and {pods} Pods at {self.now:.3f} s>"


def bring_magic() -> None:
    """Give the notebook that runs this, if one does, the %kubectl magic."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is not None and "kubectl" not in shell.magics_manager.magics["line"]:
        from k8slab.kubectl.magic import register

        register(shell)
