from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod


def test_why_walks_from_the_pod_back_to_you(cluster: Cluster) -> None:
    pod = cluster.view.list(Pod, labels="app=web")[0]
    components = [record.component for record in cluster.why(pod).records]
    assert components[0] == "replicaset-controller"
    assert components[-1] == "you"
    assert cluster.why(f"pod/{pod.metadata.name}").text == cluster.why(pod).text


def test_why_names_what_a_replacement_replaces(cluster: Cluster) -> None:
    old = cluster.view.list(Pod, labels="app=web")[0].metadata.name
    cluster.kubectl(f"delete pod {old} --wait=false")
    cluster.settle()
    new = max(cluster.view.list(Pod, labels="app=web"), key=lambda p: p.metadata.creationTimestamp)
    text = cluster.why(new).text
    assert f"Pod/default/{old}" in text
    assert "you" in text


def test_why_of_what_is_gone_still_answers(cluster: Cluster) -> None:
    cluster.kubectl("delete pod client")
    assert "you created Pod/default/client" in cluster.why("pod/client").text


def test_why_of_what_never_was_says_what_there_is(cluster: Cluster) -> None:
    with pytest.raises(LookupError, match=r'"web" could be any of web-.*: name one of them'):
        cluster.why("pod/web")
    with pytest.raises(ValueError, match="expected KIND/NAME"):
        cluster.why("nonsense")
