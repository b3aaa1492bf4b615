"""The real iptables-restore takes our rules, and iptables-save gives back the same text."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from k8slab.node.kube_proxy import render
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service

NAMESPACE = f"k8slab-proxy-{os.getpid()}"
TOOLS = ("ip", "iptables-restore", "iptables-save")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
    reason="needs root, ip and iptables",
)


def run(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr)
    return done.stdout


@pytest.fixture
def namespace() -> Iterator[str]:
    try:
        run("ip", "netns", "add", NAMESPACE)
    except OSError as error:
        pytest.skip(f"cannot make a network namespace: {error}")
    yield NAMESPACE
    run("ip", "netns", "delete", NAMESPACE)


def test_the_kernel_takes_every_kind_of_rule_and_gives_it_back(namespace: str) -> None:
    two_ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "sip", "port": 5060, "protocol": "SCTP"},
    ]
    node_port = [{"port": 80, "nodePort": 30080}]
    balanced = {
        "type": "LoadBalancer",
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
        "ports": [{"port": 80, "nodePort": 30081}],
        "externalTrafficPolicy": "Local",
        "healthCheckNodePort": 31000,
        "loadBalancerSourceRanges": ["192.0.2.0/24", "0.0.0.0/0"],
    }
    pods = (endpoint("10.244.1.2"), endpoint("10.244.2.2", "node-2"), endpoint("10.244.3.3"))
    ruleset = render(
        [
            service("a", clusterIP="10.96.1.1", sessionAffinity="ClientIP", ports=node_port),
            service("b", clusterIP="10.96.1.2", **balanced),
            service("c", clusterIP="10.96.1.3", internalTrafficPolicy="Local"),
            service("d", clusterIP="10.96.1.4", externalIPs=["203.0.113.77"]),
            service("e", clusterIP="10.96.1.5", ports=two_ports),
        ],
        [
            endpoint_slice(*pods, service="a"),
            endpoint_slice(*pods, service="b"),
            endpoint_slice(pods[1], service="c"),
            endpoint_slice(service="d"),
            endpoint_slice(*pods, service="e", ports=two_ports),
        ],
        node="node-1",
    )
    inside = ("ip", "netns", "exec", namespace)
    run(*inside, "iptables-restore", text=str(ruleset))
    saved = run(*inside, "iptables-save")
    theirs = [line for line in saved.splitlines() if not line.startswith("#")]
    assert sorted(theirs) == sorted(str(ruleset).splitlines())
