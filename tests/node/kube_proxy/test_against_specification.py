"""Random Services, endpoints, clients: both forms agree with a short text of who may answer.

The specification knows nothing of chains: it is the documentation of traffic policies, written
down as one function.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from k8slab.node.kube_proxy import nftables, render
from tests.node.kube_proxy.objects import OUTSIDE, POD, VIP, endpoint, endpoint_slice, service

NODE, NODE_IP, EXTERNAL = "node-1", "172.18.0.3", "203.0.113.5"
CONDITIONS = {
    "ready": {"ready": True, "serving": True, "terminating": False},
    "unready": {"ready": False, "serving": False, "terminating": False},
    "leaving": {"ready": False, "serving": True, "terminating": True},
    "gone": {"ready": False, "serving": False, "terminating": True},
}
Spec = tuple[str, str]  # node, condition


def who_may_answer(
    endpoints: list[Spec], src: str, dst: str, internal: str, external: str
) -> tuple[str, list[int], bool]:
    """Return the verdict, the places of the possible endpoints, and whether it is masqueraded."""

    def best(candidates: list[int]) -> list[int]:
        ready = [n for n in candidates if endpoints[n][1] == "ready"]
        return ready or [n for n in candidates if endpoints[n][1] == "leaving"]

    everywhere = best(list(range(len(endpoints))))
    here = best([n for n, (node, _) in enumerate(endpoints) if node == NODE])
    is_external = dst != VIP
    from_inside = src in (POD, NODE_IP)  # short-circuited on the way to an external address
    policy = external if is_external else internal
    local = policy == "Local" and not (is_external and from_inside)
    if not everywhere:
        return "REJECT", [], False
    usable = here if local else everywhere
    off_node = policy == "Cluster" or src == NODE_IP
    masqueraded = off_node if is_external else src != POD
    return ("ACCEPT", usable, masqueraded) if usable else ("DROP", [], False)


@given(
    st.lists(st.tuples(st.sampled_from([NODE, "node-2"]), st.sampled_from(list(CONDITIONS)))),
    st.sampled_from([POD, OUTSIDE, NODE_IP]),
    st.sampled_from([VIP, EXTERNAL, NODE_IP]),
    st.sampled_from(["Cluster", "Local"]),
    st.sampled_from(["Cluster", "Local"]),
)
def test_rules_agree_with_the_specification(
    endpoints: list[Spec], src: str, dst: str, internal: str, external: str
) -> None:
    # What the node itself sends to outside addresses passes no refusing rule in OUTPUT.
    assume(src != NODE_IP or dst == VIP or any(c in ("ready", "leaving") for _, c in endpoints))
    pods: list[dict[str, Any]] = [
        endpoint(f"10.244.1.{n + 10}", node, conditions=CONDITIONS[condition])
        for n, (node, condition) in enumerate(endpoints)
    ]
    web = service(
        type="NodePort",
        ports=[{"port": 80, "nodePort": 30080}],
        externalIPs=[EXTERNAL],
        internalTrafficPolicy=internal,
        externalTrafficPolicy=external,
    )
    port = 30080 if dst == NODE_IP else 80
    verdict, usable, masqueraded = who_may_answer(endpoints, src, dst, internal, external)
    for form in (render, nftables.render):
        ruleset = form([web], [endpoint_slice(*pods)], node=NODE)
        trace = ruleset.trace(src, dst, port, local_addresses=[NODE_IP])
        assert trace.verdict == verdict
        assert [d.ip for d in trace.destinations] == [f"10.244.1.{n + 10}" for n in usable]
        assert all(d.masqueraded is masqueraded for d in trace.destinations)
        assert all(abs(d.probability - Fraction(1, len(usable))) < 1e-7 for d in trace.destinations)
        assert sum(branch.probability for branch in trace.branches) == 1
