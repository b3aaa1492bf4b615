"""Exercise 10.3: a list by hand. The archive runs on a machine that Kubernetes did not start.

A Service without a selector has no controller that fills its list: whoever knows the address writes
the EndpointSlice. Right is whatever makes the name lead to that machine and leaves it alone.

Rule of use: an Endpoints object is right too: the mirroring controller makes a slice of it.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.core import Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import CLIENT, SERVICE_NAME, boot, listed, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (2, 13)
REQUESTS = 6
PORT = 8080  # where the archive listens
URL = "http://archive"
MACHINE = "worker-2"
WORLD = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: cellar}}
---
apiVersion: v1
kind: Pod
metadata: {{name: old-archive, namespace: cellar}}
spec:
  hostNetwork: true
  nodeName: {MACHINE}
  containers:
  - name: main
    image: registry.k8s.io/e2e-test-images/agnhost:2.53
    args: [netexec, --http-port={PORT}, --udp-port=-1]
---
apiVersion: v1
kind: Service
metadata: {{name: archive}}
spec: {{ports: [{{name: web, port: 80}}]}}
{CLIENT}"""


def world(seed: int) -> Cluster:
    """Return the cluster, with the archive on a machine and a Service that leads nowhere."""
    return boot(seed, WORLD)


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get services",
        seeds=SEEDS,
        attempt=attempt_of(world, _kept, _judge),
        praise="Right. The Service has an address that Kubernetes never gave to anybody. Rules are "
        "written from slices, and nobody asks who wrote those.",
    )


def address_of(cluster: Cluster) -> str:
    """Return the address of the machine on which the archive runs."""
    pod = cluster.view.get(Pod, "old-archive", "cellar")
    return pod.status.podIP if pod is not None else ""


def _judge(cluster: Cluster, before: tuple[str, str]) -> Finding:
    return _broken(cluster, before) or _slices(cluster) or _answers(cluster)


def _kept(cluster: Cluster) -> tuple[str, str]:
    """Return who the Service and the archive are: a repair changes neither."""
    service = cluster.view.get(Service, "archive")
    pod = cluster.view.get(Pod, "old-archive", "cellar")
    return (
        f"{service.metadata.uid} {service.spec.clusterIP}" if service is not None else "",
        f"{pod.metadata.uid} {sorted(pod.metadata.labels)}" if pod is not None else "",
    )


def _broken(cluster: Cluster, before: tuple[str, str]) -> Finding | None:
    service, archive = _kept(cluster)
    if archive != before[1]:
        return wrong("The archive was touched. It is not yours: leave the cellar as it is.")
    if service != before[0]:
        found = cluster.view.get(Service, "archive")
        if found is not None and found.spec.type == "ExternalName":
            return wrong(
                "An ExternalName is a CNAME, an alias for a name. The archive has no name, only an "
                "address, and port 80 would stay port 80.",
                20,
            )
        return wrong("The Service is another one now, or gone. Clients know its address: keep it.")
    found = cluster.view.get(Service, "archive")
    if found is not None and found.spec.selector:
        return wrong(
            "The Service has a selector now, so its controller writes the list, from Pods of its "
            "own namespace. The archive is none of them.",
            6,
        )
    return None


def _slices(cluster: Cluster) -> Finding | None:
    """Say what is wrong with the list, or that there is none."""
    slices = cluster.view.list(EndpointSlice, "default")
    own = [one for one in slices if one.metadata.labels.get(SERVICE_NAME) == "archive"]
    if not own:
        strangers = [one.metadata.name for one in slices if one.metadata.name != "kubernetes"]
        if strangers:
            return wrong(
                f"There is a slice, {listed(strangers)}, and no label ties it to the Service: "
                f"`{SERVICE_NAME}: archive`. Names mean nothing here either.",
                6,
            )
        return wrong("The Service has no EndpointSlice yet, so nobody is behind it.", 18)
    address = address_of(cluster)
    named = [port for one in own for port in one.ports if port.name == "web"]
    ready = [each for one in own for each in one.endpoints if each.conditions.ready is not False]
    addresses = [text for each in ready for text in each.addresses]
    if not addresses:
        return wrong("The slice has no endpoint that is ready.", 9)
    if any(text != address for text in addresses):
        return wrong(
            f"The slice leads to {listed(addresses)}. The archive answers at {address}: "
            "`kubectl get pods -n cellar -o wide` says so."
        )
    if not named:
        return wrong(
            "A port of a slice belongs to the port of the Service that has the same name, and the "
            "Service calls its port `web`.",
            7,
        )
    if any(port.port != PORT for port in named):
        return wrong(
            f"The slice says port {named[0].port}. 80 is the Service's port; the archive listens "
            f"on {PORT}, and a slice has the ports of those who answer.",
            7,
        )
    return None


def _answers(cluster: Cluster) -> Finding:
    address = address_of(cluster)
    for _ in range(REQUESTS):
        answer = cluster.request("pod/client", URL)
        if not answer.ok:
            said = answer.error or f"{answer.outcome} {answer.status}"
            text = f"{URL} from pod/client: {said}"
            return almost("The list looks right, and a request fails.", 0, (seen(cluster, text),))
    text = f"{REQUESTS} of {REQUESTS} requests were answered at {address}:{PORT}"
    return right("", (seen(cluster, text),))


EXERCISE = Exercise(
    key="10.3",
    title="The old archive",
    points=2,
    hints=(
        "`kubectl get endpointslice kubernetes -o yaml` shows a slice that was written by hand, "
        "so to say: the API server's own. Write one like it.",
        "Four things must fit: the label `kubernetes.io/service-name`, the name of the port, its "
        "number on that machine, and the machine's address.",
        "kubectl apply -f - with kind EndpointSlice, addressType IPv4, the label, "
        'ports: [{name: web, port: 8080}] and endpoints: [{addresses: ["..."]}].',
    ),
    grade=grade,
    world=world,
)
