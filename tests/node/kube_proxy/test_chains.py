from __future__ import annotations

import pytest

from k8slab.node.kube_proxy.chains import (
    cluster_policy_chain,
    endpoint_chain,
    external_chain,
    firewall_chain,
    is_hashed,
    local_policy_chain,
)


@pytest.mark.parametrize(
    ("port", "protocol", "chain"),
    [
        ("default/kubernetes:https", "tcp", "KUBE-SVC-NPX46M4PTMTKRN6Y"),
        ("kube-system/kube-dns:dns", "udp", "KUBE-SVC-TCOU7JCQXEZGVUNU"),
        ("kube-system/kube-dns:dns-tcp", "tcp", "KUBE-SVC-ERIFXISQEP7F7OF4"),
        ("kube-system/kube-dns:metrics", "tcp", "KUBE-SVC-JD5MR3NA4I4DYORP"),
    ],
)
def test_chain_names_are_those_of_every_real_cluster(port: str, protocol: str, chain: str) -> None:
    assert cluster_policy_chain(port, protocol) == chain


def test_the_chains_of_a_port_share_one_hash() -> None:
    makers = (cluster_policy_chain, local_policy_chain, external_chain, firewall_chain)
    hashes = {make("default/web", "tcp").rpartition("-")[2] for make in makers}
    assert len(hashes) == 1


def test_an_endpoint_has_another_chain_for_each_service() -> None:
    first = endpoint_chain("default/a", "tcp", "10.244.1.2:80")
    assert first != endpoint_chain("default/b", "tcp", "10.244.1.2:80")
    assert len(first) <= 28


def test_common_chains_are_never_taken_for_those_of_a_service() -> None:
    assert is_hashed("KUBE-SEP-ABCDEFGHIJKLMNOP")
    assert not is_hashed("KUBE-SERVICES")
