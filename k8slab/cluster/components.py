"""The programs of the cluster's own images: what runs when a kubelet starts `kube-scheduler`.

Each component is a control loop that knows nothing of containers. Here each is wrapped as the
program of its image, which reads its command line, opens its ports and runs the loop until the
container is killed. Kill `kube-scheduler` and no Pod is placed until the kubelet starts it again.

Rule of use: to add a component, write a program and a row of `COMPONENTS`; to replace a component's
decisions, see `Cluster(replace=...)`.

Upstream: cmd/kube-apiserver, cmd/kube-controller-manager, cmd/kube-scheduler, cmd/kube-proxy
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from k8slab.api.errors import go_value
from k8slab.client import Client
from k8slab.cluster.proxying import forwarder
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.apiserver.access import ALWAYS_ALLOW
from k8slab.control_plane.apiserver.allocators import SERVICE_CIDR
from k8slab.control_plane.apiserver.bootstrap import USER, bootstrap, ensure_policy
from k8slab.control_plane.apiserver.custom_resources.controller import CustomResourceController
from k8slab.control_plane.etcd import Backend, Etcd, Unavailable
from k8slab.node import http
from k8slab.node.runtime.process import Process

if TYPE_CHECKING:
    from k8slab.cluster.world import World

ETCD_RETRY = 1.0  # s, how often a starting API server tries etcd
DATABASE = "member/snap/db"
SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"


def flag(process: Process, name: str, default: str = "") -> str:
    """Return the value of a flag on the process' command line."""
    prefix = f"--{name}="
    for argument in process.args:
        if argument.startswith(prefix):
            return argument.removeprefix(prefix)
    return default


async def serve_health(
    process: Process, port: int, not_ready: Callable[[], str] = lambda: ""
) -> None:
    """Answer every health check on a port with "ok", for as long as the process lives.

    /readyz fails as long as `not_ready` says why.
    """

    def answer(request: http.Request) -> http.Response:
        why = not_ready() if request.path == "/readyz" else ""
        return http.text(why, 500) if why else http.text("ok")

    listener = process.net.listen("0.0.0.0", port, owner=process.sim.group)
    while True:
        connection = await listener.accept()
        process.sim.spawn(
            http.serve_connection(connection, answer), f"{process.name}: health check"
        )


async def etcd(world: World, process: Process) -> None:
    """Open the database on the node's disk and serve it."""
    folder, path = process.folder(flag(process, "data-dir", "/var/lib/etcd"))
    database = f"{path}/{DATABASE}".strip("/")
    if database not in folder.files:
        folder.write(database, Backend())
    await process.sleep(world.latency.component_start)
    server = Etcd(world.sim, folder.read(database))
    world.etcd.serve(server)
    process.log("ready to serve client requests")
    try:
        await serve_health(process, 2381)
    finally:
        world.etcd.stop()


async def kube_apiserver(world: World, process: Process) -> None:
    """Serve the API from etcd; wait for it as long as it takes."""
    await process.sleep(world.latency.component_start)
    server = APIServer(
        world.sim,
        world.etcd,
        latency=world.latency,
        service_cidr=flag(process, "service-cluster-ip-range", SERVICE_CIDR),
        kubelet=world.call_kubelet,
        authorization_mode=flag(process, "authorization-mode", ALWAYS_ALLOW),
        delegates=world.delegates,
        forward=forwarder(process.net),
    )
    while True:
        try:
            server.start()
            break
        except Unavailable as down:
            process.error(f"W {down}")
            await process.sleep(ETCD_RETRY)
    ensure_policy(server)
    world.api.serve(server)
    process.log(f"Serving securely on [::]:{flag(process, 'secure-port')}")
    try:
        client = Client(world.transport(process.hostname), USER)
        address = flag(process, "advertise-address")
        world.sim.spawn(bootstrap(client, server, address), "kube-apiserver: post-start hooks")
        definitions = CustomResourceController(world.sim, client)
        world.sim.spawn(definitions.run(), "kube-apiserver: start-apiextensions-controllers")
        await serve_health(process, 6443)
    finally:
        world.api.stop(server)


async def kube_scheduler(world: World, process: Process) -> int:
    """Place the Pods that ask for one of the profiles of the file that --config names."""
    from k8slab.control_plane.scheduler import Scheduler
    from k8slab.control_plane.scheduler.config import ConfigError, parse

    await process.sleep(world.latency.component_start)
    path, plugins = flag(process, "config"), world.replace.get("scheduler_plugins")
    try:
        config = parse(process.read(path)) if path else None
        kubeconfig = config.clientConnection.kubeconfig if config is not None else ""
        kubeconfig = kubeconfig or flag(process, "kubeconfig")
        user = "system:kube-scheduler" if kubeconfig else process.read(SERVICE_ACCOUNT_TOKEN)
        client = Client(world.transport(world.host_of(process)), user)
        scheduler = Scheduler(world.sim, client, config=config, plugins=plugins)
    except (ConfigError, FileNotFoundError) as error:
        missing = isinstance(error, FileNotFoundError)
        why = f"open {path}: no such file or directory" if missing else str(error)
        process.error(f'"command failed" err={go_value(why)}')
        return 1
    for profile in scheduler.config.profiles:
        world.scheduler_profiles[profile.schedulerName] = profile
    world.sim.spawn(scheduler.run(), "kube-scheduler")
    await serve_health(process, 10259)
    return 0


async def kube_controller_manager(world: World, process: Process) -> None:
    """Run the controllers."""
    from k8slab.control_plane.controller_manager import ControllerManager
    from k8slab.control_plane.controllers.node_ipam import CLUSTER_CIDR

    transport = world.transport(process.hostname)
    await process.sleep(world.latency.component_start)
    manager = ControllerManager(
        world.sim,
        lambda user: Client(transport, user),
        world,
        cluster_cidr=flag(process, "cluster-cidr", CLUSTER_CIDR),
        replace=_replaced(world),
    )
    world.sim.spawn(manager.run(), "kube-controller-manager")
    await serve_health(process, 10257)


def _replaced(world: World) -> dict[str, Any]:
    """Return the controllers that decide as a learner wrote, by name."""
    from k8slab.control_plane.controllers import deployment, endpoint_slice
    from k8slab.control_plane.controllers.learner_controller import LearnerController
    from k8slab.control_plane.controllers.replica_set import ReplicaSetController, adapt
    from k8slab.control_plane.controllers.taint_eviction import TaintEvictionController

    found: dict[str, Any] = {}
    if world.replace.get("deployment") is not None:
        sizes = deployment.adapt(world.replace["deployment"])
        found["deployment-controller"] = partial(deployment.DeploymentController, sizes=sizes)
    if world.replace.get("replica_set") is not None:
        planner = adapt(world.replace["replica_set"])
        found["replicaset-controller"] = partial(ReplicaSetController, planner=planner)
    if world.replace.get("endpoint_slice") is not None:
        slices = endpoint_slice.adapt(world.replace["endpoint_slice"])
        controller = endpoint_slice.EndpointSliceController
        found["endpointslice-controller"] = partial(controller, planner=slices)
    if (delay := world.replace.get("eviction_delay")) is not None:
        found["taint-eviction-controller"] = partial(TaintEvictionController, delay=delay)
    if world.replace.get("controller") is not None:
        watch = world.replace["controller"]
        found[LearnerController.component] = partial(LearnerController, watch=watch)
    return found


async def kube_proxy(world: World, process: Process) -> int | None:
    """Keep the node's rules as Services and EndpointSlices want them."""
    from k8slab.node.kube_proxy import ConfigError, Proxier, clean, parse_config

    if "--cleanup" in process.args:
        clean(world.machines[process.hostname].net)
        return 0
    folder, path = process.folder(flag(process, "config"))
    try:
        config = parse_config(str(folder.read(path)))
    except (ConfigError, FileNotFoundError) as error:
        process.error(f'"Error running ProxyServer" err="failed to load config: {error}"')
        return 1
    machine = world.machines[process.hostname]
    client = Client(world.transport(machine.name), f"system:kube-proxy/{machine.name}")
    proxier = Proxier(
        world.sim,
        client,
        machine,
        config,
        cache=world.rule_cache,
        latency=world.latency,
        render=world.replace.get("kube_proxy"),
    )
    process.log(f'"Using {config.mode} Proxier"')
    world.sim.spawn(proxier.run(), f"kube-proxy/{machine.name}")
    world.sim.spawn(proxier.serve_metrics(), f"kube-proxy/{machine.name}: metrics")
    await proxier.health.run()
    return None


async def kindnetd(world: World, process: Process) -> None:
    """Connect the node's Pods with those of the other nodes."""
    from k8slab.node.cni import kindnetd as agent

    machine = world.machines[process.hostname]
    client = Client(world.transport(machine.name), f"system:kindnet/{machine.name}")
    await agent(client, machine)(process)


async def coredns(world: World, process: Process) -> int:
    """Answer the cluster's DNS queries."""
    from k8slab.addons.coredns import CoreDNS
    from k8slab.addons.coredns.kubernetes import look_up

    client = Client(world.transport(world.host_of(process)), "system:coredns")
    answers = world.replace.get("dns_answer") or look_up
    return await CoreDNS(process, client, world.upstream, answers).run()


async def node_cache(world: World, process: Process) -> int:
    """Remember the answers to the DNS queries of one node."""
    from k8slab.addons.coredns.node_cache import NodeCache

    client = Client(world.transport(world.host_of(process)), "system:node-local-dns")
    return await NodeCache(process, client, world.upstream).run()


async def cloud_controller_manager(world: World, process: Process) -> None:
    """Order load balancers for Services."""
    from k8slab.addons.cloud_controller import POOL, ServiceController

    client = Client(world.transport(process.hostname), "system:cloud-controller-manager")
    await process.sleep(world.latency.component_start)
    pool = flag(process, "load-balancer-pool", POOL)
    mode = flag(process, "ip-mode", "VIP")
    await ServiceController(world.sim, client, world.load_balancers, pool=pool, ip_mode=mode).run()


async def metrics_server(world: World, process: Process) -> None:
    """Gather what nodes and Pods use, and serve it behind the API server."""
    from k8slab.addons.metrics_server import GROUP, MetricsServer

    client = Client(world.transport(world.host_of(process)), "system:metrics-server")
    await process.sleep(world.latency.component_start)
    server = MetricsServer(world.sim, client, world.scrape)
    world.delegates[GROUP] = server.serve
    try:
        health = serve_health(process, 10250, server.not_ready)
        world.sim.spawn(health, "metrics-server: health")
        await server.run()
    finally:
        if world.delegates.get(GROUP) == server.serve:
            del world.delegates[GROUP]


async def ingress_nginx(world: World, process: Process) -> int:
    """Take requests from outside for the hosts and paths of Ingresses."""
    from k8slab.addons.ingress import IngressController

    user = "system:serviceaccount:ingress-nginx:ingress-nginx"
    client = Client(world.transport(world.host_of(process)), user)
    await process.sleep(world.latency.component_start)
    world.sim.spawn(serve_health(process, 10254), f"{process.name}: health")
    await IngressController(process, client).run()
    return 0


async def nginx_gateway(world: World, process: Process) -> int:
    """Take requests from outside at the listeners of Gateways."""
    from k8slab.addons.ingress import GatewayController

    user = "system:serviceaccount:nginx-gateway:nginx-gateway"
    client = Client(world.transport(world.host_of(process)), user)
    await process.sleep(world.latency.component_start)
    world.sim.spawn(serve_health(process, 8081), f"{process.name}: health")
    return await GatewayController(process, client).run()


COMPONENTS: dict[str, tuple[Callable[[World, Process], Awaitable[int | None]], int]] = {
    "registry.k8s.io/etcd": (etcd, 23_000_000),
    "registry.k8s.io/kube-apiserver": (kube_apiserver, 27_000_000),
    "registry.k8s.io/kube-controller-manager": (kube_controller_manager, 23_000_000),
    "registry.k8s.io/kube-scheduler": (kube_scheduler, 18_000_000),
    "registry.k8s.io/kube-proxy": (kube_proxy, 26_000_000),
    "registry.k8s.io/coredns/coredns": (coredns, 23_000_000),
    "registry.k8s.io/dns/k8s-dns-node-cache": (node_cache, 32_000_000),
    "registry.k8s.io/cloud-provider-kind/cloud-controller-manager": (
        cloud_controller_manager,
        21_000_000,
    ),
    "registry.k8s.io/metrics-server/metrics-server": (metrics_server, 22_000_000),
    "registry.k8s.io/ingress-nginx/controller": (ingress_nginx, 110_000_000),
    "ghcr.io/nginx/nginx-gateway-fabric": (nginx_gateway, 45_000_000),
    "docker.io/kindest/kindnetd": (kindnetd, 34_000_000),
}
