"""Why a request came out as it did: from the answer back to the object that made it so.

Refused, timed out, unresolved or answered: each is traced along the way of the packet, from the
name to the Service, from the Service to its endpoints, from the endpoint to the Pod. The chain of
causes is that of the object where the way ended.

Rule of use: `cluster.why(answer)`; the cluster is looked at as it was when the request ended.

Upstream: none (https://kubernetes.io/docs/tasks/debug/debug-application/debug-service)
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from k8slab.api.conditions import is_true
from k8slab.api.core import Namespace, Node, Pod, Service
from k8slab.api.pods import is_pod_terminal
from k8slab.cluster import sentences, why_ingress, why_policy, why_service
from k8slab.cluster.explanation import Explanation, Finding
from k8slab.cluster.requests import Answer
from k8slab.cluster.view import View
from k8slab.cluster.why import chain
from k8slab.cluster.why_pod import name_with_namespace
from k8slab.linux.addresses import is_ipv6
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

DOMAIN = "cluster.local"
SILENT = ("TIMEOUT", "REFUSED", "SERVFAIL")  # rcodes that say nothing about the name
DNS = ("kube-dns", "kube-system")


def explain_answer(cluster: Cluster, answer: Answer) -> Explanation:
    """Return why the request came out so."""
    view = cluster.at(min(answer.ended, cluster.now))
    if answer.outcome == "unresolved":
        findings = unresolved(cluster, view, answer)
    else:
        findings = on_the_way(view, answer)
    head = f"{answer.source} -> {answer.url}"
    outcome = f"{answer.status}" if answer.status else answer.outcome
    told = Finding(text=f"{outcome}; {answer.error}" if answer.error else outcome)
    subjects = [name for finding in findings for name in finding.objects]
    return chain(cluster, head, _last_write(cluster, subjects, answer.ended), (told, *findings))


def _last_write(cluster: Cluster, subjects: list[str], time: float) -> Record | None:
    """Return the last write of the first of these objects that was ever written."""
    for subject in subjects:
        about = [r for r in cluster.trace.about(subject) if r.revision and r.time <= time]
        if about:
            return about[-1]
    return None


# -- the name


def unresolved(cluster: Cluster, view: View, answer: Answer) -> tuple[Finding, ...]:
    """Return why the name has no address."""
    found = answer.lookup
    queries = found.queries if found is not None else ()
    if not queries or queries[-1].rcode in SILENT:
        return _no_dns(view, answer)
    name, namespace = meant(queries[0].name, found.name if found is not None else "")
    asked = Finding(
        text=f"{len(queries)} DNS queries were answered, the first for {queries[0].name}: "
        f"{queries[0].rcode}",
        decided_by="coredns",
    )
    return (asked, *_no_name(cluster, view, name, namespace))


def meant(first: str, typed: str) -> tuple[str, str]:
    """Return (Service, namespace) that a name means, ("", "") if it is none of the cluster's.

    >>> meant("web.default.svc.cluster.local", "web")
    ('web', 'default')
    >>> meant("web.shop.default.svc.cluster.local", "web.shop")
    ('web', 'shop')
    """
    words = typed.rstrip(".").removesuffix(f".{DOMAIN}").removesuffix(".svc").split(".")
    if len(words) == 1:
        own = first.removesuffix(f".svc.{DOMAIN}").split(".")
        return (words[0], own[-1]) if first.endswith(f".svc.{DOMAIN}") else ("", "")
    return (words[-2], words[-1])


def _no_name(cluster: Cluster, view: View, name: str, namespace: str) -> tuple[Finding, ...]:
    if not name:
        text = "it is no name of the cluster, and the name servers outside do not know it"
        return (Finding(text=text, next=("kubectl get services -A",)),)
    if view.get(Namespace, namespace, "") is None:
        there = sentences.listed([each.metadata.name for each in view.list(Namespace)])
        text = (
            f"in the cluster it would be Service {name} in namespace {namespace}, and there is no "
            f"such namespace ({there}); the name servers outside do not know it either"
        )
        return (Finding(text=text, next=("kubectl get namespaces",)),)
    service = view.get(Service, name, namespace)
    subject = f"Service/{namespace}/{name}"
    if service is not None:
        headless = "it is headless, so its name stands for its ready Pods"
        findings = why_service.trouble(view, service)
        return (Finding(text=f"{subject} is there; {headless}", objects=(subject,)), *findings)
    elsewhere = [s.metadata.namespace for s in view.list(Service) if s.metadata.name == name]
    own = [each.metadata.name for each in view.list(Service, namespace)]
    near = difflib.get_close_matches(name, own, n=1)
    text = sentences.no_service(name, namespace, elsewhere, near)
    gone = [r for r in cluster.trace.about(subject) if r.verb in ("remove", "delete")]
    text += "; it was deleted" if gone else ""
    next_ = (f"kubectl get services -n {namespace}",)
    return (Finding(text=text, objects=(subject,), next=next_),)


def _no_dns(view: View, answer: Answer) -> tuple[Finding, ...]:
    servers = dict.fromkeys(q.server for q in answer.lookup.queries) if answer.lookup else {}
    text = f"no name server answered ({sentences.listed(list(servers))})"
    command = "kubectl get pods -n kube-system -l k8s-app=kube-dns -o wide"
    first = Finding(text=text, next=(command,))
    if stopped := why_policy.dropped(view, answer.name_journey):
        return (first, *stopped)
    service = view.get(Service, *DNS)
    if service is None:
        return (
            first,
            Finding(text="there is no Service kube-dns", objects=("Service/kube-system/kube-dns",)),
        )
    trouble = why_service.trouble(view, service)
    slices = _slice_subjects(view, service)
    told = tuple(
        Finding(
            text=f"Service kube-dns: {each.text}",
            objects=(*slices, *each.objects),
            decided_by=each.decided_by,
            next=each.next,
        )
        for each in trouble
    )
    return (first, *(told or _nodes_away(view, answer)))


# -- the packet


def on_the_way(view: View, answer: Answer) -> tuple[Finding, ...]:
    """Return what happened to the packets, up to where their way ended."""
    ip, _, port = answer.address.rpartition(":")
    ip = ip.strip("[]")
    service, service_port = _service_at(view, ip, int(port))
    at, _, pod_port = answer.endpoint.rpartition(":")
    at = at.strip("[]")
    if service is not None and answer.endpoint == answer.address:
        return _stopped_at_service(view, service, service_port, answer)
    pod = _pod_at(view, at)
    first = _led_to(view, service, answer) if service is not None else ()
    lost = answer.outcome == "timed out"
    if lost and (stopped := why_policy.dropped(view, answer.journey)):
        return (*(replace(each, objects=()) for each in first), *stopped)
    if pod is None:
        return (*first, *_nobody_there(view, at, answer))
    reached = _at_the_pod(view, pod, int(pod_port), answer)
    return (*first, *reached, *why_ingress.behind(view, pod, answer))


def _service_at(view: View, ip: str, port: int) -> tuple[Service | None, int]:
    """Return the Service at an address, with the port of the Service that is meant."""
    services = view.list(Service)
    for service in services:
        balanced = (each.ip for each in service.status.loadBalancer.ingress)
        if ip in (*service.spec.clusterIPs, *service.spec.externalIPs, *balanced):
            return service, port
    if any(ip == each.address for node in view.list(Node) for each in node.status.addresses):
        for service in services:
            for each in service.spec.ports:
                if each.nodePort == port:
                    return service, each.port
    return None, port


def _stopped_at_service(
    view: View, service: Service, port: int, answer: Answer
) -> tuple[Finding, ...]:
    subject = _subject(service)
    shown = f"Service {service.metadata.name}"
    ports = {each.port: each for each in service.spec.ports}
    flag = f"-n {service.metadata.namespace}"
    if port not in ports:
        known = [f"{p.port}/{p.protocol}" for p in ports.values()]
        text = sentences.wrong_port(shown, port, known)
        next_ = (f"kubectl describe service {service.metadata.name} {flag}",)
        return (Finding(text=text, objects=(subject,), decided_by="kube-proxy", next=next_),)
    rule = answer.decisive_rule
    by = (
        (Finding(text=f"the rule that decided: {rule.text}", decided_by="kube-proxy"),)
        if rule
        else ()
    )
    slices = _slice_subjects(view, service)
    trouble = tuple(
        Finding(
            text=f"{shown}: {each.text}",
            objects=(*slices, *each.objects),
            decided_by=each.decided_by,
            next=each.next,
        )
        for each in why_service.trouble(view, service)
    )
    if trouble:
        return (*by, *trouble)
    text = f"{shown} has endpoints, and no rule sent the packet to one: rules are behind, or refuse"
    node = _node_of(view, answer)
    next_ = (_look_at_rules(node or "worker-1", answer),)
    return (*by, Finding(text=text, objects=(subject,), decided_by="kube-proxy", next=next_))


def _look_at_rules(node: str, answer: Answer) -> str:
    """Return the command that shows the node's rules, of whichever kind they are."""
    nft = any(rule.table == "kube-proxy" for rule in answer.rules)
    tool = "ip6tables" if answer.address.startswith("[") else "iptables"
    command = "nft list ruleset" if nft else f"{tool}-save -t nat"
    return f'cluster.node("{node}").shell("{command}")'


def _led_to(view: View, service: Service, answer: Answer) -> tuple[Finding, ...]:
    ready = why_service.ready_endpoints(view, service)
    ip = answer.address.rpartition(":")[0]
    count = sum(is_ipv6(each) == is_ipv6(ip) for each in ready)
    text = (
        f"Service {service.metadata.name} ({answer.address}) has {count} ready endpoints; the "
        f"rules sent the packet to {answer.endpoint}"
    )
    objects = (*_slice_subjects(view, service), _subject(service))
    return (Finding(text=text, objects=objects, decided_by="kube-proxy"),)


def _nobody_there(view: View, ip: str, answer: Answer) -> tuple[Finding, ...]:
    nodes = [n for n in view.list(Node) if any(a.address == ip for a in n.status.addresses)]
    if nodes:
        text = f"{ip} is node {nodes[0].metadata.name}; {answer.outcome} there"
        return (Finding(text=text, objects=(f"Node/{nodes[0].metadata.name}",)),)
    node = _node_of(view, answer) or "worker-1"
    text = f"no Pod has the address {ip}: where did the client, or the rules of its node, get it?"
    next_ = ("kubectl get pods -A -o wide", _look_at_rules(node, answer))
    return (Finding(text=text, decided_by="kube-proxy", next=next_),)


def _at_the_pod(view: View, pod: Pod, port: int, answer: Answer) -> tuple[Finding, ...]:
    where = f"Pod {pod.metadata.name} on {pod.spec.nodeName}"
    subject, name = f"Pod/{pod.metadata.namespace}/{pod.metadata.name}", name_with_namespace(pod)
    logs = (f"kubectl logs {name}",)
    if answer.outcome == "answered":
        text = f"{where} answered" + (f" with {answer.status}" if answer.status else "")
        return (Finding(text=text, objects=(subject,), next=() if answer.ok else logs),)
    if answer.outcome == "refused":
        declared = [str(p.containerPort) for c in pod.spec.containers for p in c.ports]
        text = sentences.nobody_listens(where, port, declared)
        next_ = (f"kubectl describe pod {name}", *logs)
        return (Finding(text=text, objects=(subject,), next=next_),)
    away = _nodes_away(view, answer, pod.spec.nodeName)
    return away or (Finding(text=f"{where} did not answer in time", objects=(subject,), next=logs),)


def _nodes_away(view: View, answer: Answer, *names: str) -> tuple[Finding, ...]:
    """Return the nodes on the way that are not Ready, or that the packet never reached."""
    found = []
    for name in dict.fromkeys([*names, _node_of(view, answer)]):
        node = view.get(Node, name, "") if name else None
        if node is not None and not is_true(node.status.conditions, "Ready"):
            found.append(
                Finding(
                    text=f"node {name} is not Ready: nothing reaches it",
                    objects=(f"Node/{name}",),
                    next=(f"kubectl describe node {name}",),
                )
            )
    if not found and names and answer.journey.hops:
        last = answer.journey.hops[-1]
        found.append(
            Finding(
                text=f"the packet for node {names[0]} was last seen in {last.namespace} at "
                f"{last.point}; nothing came back. The control plane has not noticed anything yet",
                objects=(f"Node/{names[0]}",),
                next=("kubectl get nodes", "print(answer.journey)"),
            )
        )
    return tuple(found)


# -- looking up


def _pod_at(view: View, ip: str) -> Pod | None:
    return next(
        (
            pod
            for pod in view.list(Pod)
            if any(own.ip == ip for own in pod.status.podIPs)
            and not pod.spec.hostNetwork
            and not is_pod_terminal(pod)
        ),
        None,
    )


def _node_of(view: View, answer: Answer) -> str:
    """Return the node from which the request came, "" if it came from elsewhere."""
    kind, _, name = answer.source.partition("/")
    if kind == "node":
        return name
    pod = next((p for p in view.list(Pod) if p.metadata.name == name), None)
    return pod.spec.nodeName if pod is not None else ""


def _subject(service: Service) -> str:
    return f"Service/{service.metadata.namespace}/{service.metadata.name}"


def _slice_subjects(view: View, service: Service) -> list[str]:
    namespace = service.metadata.namespace
    return [
        f"EndpointSlice/{namespace}/{each.metadata.name}"
        for each in why_service.slices_of(view, service)
    ]
