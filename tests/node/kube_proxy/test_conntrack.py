from __future__ import annotations

import pytest

from k8slab.linux.conntrack import Entry
from k8slab.node.kube_proxy.conntrack import is_stale
from k8slab.node.kube_proxy.types import Endpoint, ServicePort

DNS = ServicePort(
    name="kube-system/kube-dns:dns", protocol="udp", cluster_ip="10.96.0.10", port=53,
    node_port=30053,
)  # fmt: skip
ALIVE = Endpoint("10.244.1.2:53", "10.244.1.2")
SILENT = Endpoint("10.244.1.4:53", "10.244.1.4", ready=False, serving=False)
LEAVING = Endpoint("10.244.1.3:53", "10.244.1.3", ready=False, terminating=True)


def flow(destination: str, port: int, answering: str) -> Entry:
    entry = Entry(("udp", "10.244.9.9", 40000, destination, port), 0.0)
    entry.reply = ("udp", answering, 53, "10.244.9.9", 40000)
    return entry


@pytest.mark.parametrize(
    ("entry", "stale"),
    [
        (flow("10.96.0.10", 53, "10.244.1.2"), False),
        (flow("10.96.0.10", 53, "10.244.1.3"), False),  # still serving
        (flow("10.96.0.10", 53, "10.244.1.4"), True),  # no longer serving
        (flow("10.96.0.10", 53, "10.244.1.5"), True),  # gone
        (flow("10.96.0.10", 53, "10.96.0.10"), True),  # from before the first endpoint
        (flow("172.18.0.3", 30053, "10.244.1.4"), True),
        (flow("10.96.0.10", 54, "10.244.1.4"), False),
        (flow("10.244.1.4", 53, "10.244.1.4"), False),
    ],
)
def test_a_flow_is_stale_when_no_serving_endpoint_answers_it(entry: Entry, stale: bool) -> None:
    assert is_stale(entry, DNS, (ALIVE, LEAVING, SILENT)) is stale
