from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.node.runtime import Process


def test_an_image_taken_from_its_registry_cannot_be_pulled_until_it_is_back() -> None:
    cluster = Cluster(workers=1, seed=1)
    cluster.break_image("nginx:1.27")
    cluster.kubectl("run web --image=nginx:1.27")
    cluster.run(20)
    assert "ErrImagePull" in (shown := cluster.kubectl("get pods")) or "ImagePullBackOff" in shown
    cluster.repair_registry("nginx:1.27")
    cluster.run_until("pod/web ready")


def test_an_image_of_ones_own_is_a_decorated_program() -> None:
    cluster = Cluster(workers=1, seed=1)

    @cluster.image("example.com/greeter:v1", size=1000)
    async def greeter(process: Process) -> int:
        process.log(f"hello from {process.hostname}")
        return 0

    cluster.kubectl("run me --image=example.com/greeter:v1 --restart=Never")
    cluster.run(10)
    assert cluster.kubectl("logs me") == "hello from me\n"
    with pytest.raises(ValueError, match="invalid reference format"):
        cluster.image("Not A Name")(greeter)


def test_a_private_registry_opens_for_a_pull_secret_and_so_it_does_in_a_fork() -> None:
    cluster = Cluster(workers=1, seed=1)
    cluster.private_registry("example.com/team", "ann", "pw")
    cluster.kubectl("run web --image=example.com/team/web:v1 --port=80")
    cluster.run(10)
    shown = cluster.kubectl("describe pod web")
    assert "authorization failed: no basic auth credentials" in shown
    cluster.kubectl(
        "create secret docker-registry team --docker-server=example.com "
        "--docker-username=ann --docker-password=pw"
    )
    patch = """'{"imagePullSecrets": [{"name": "team"}]}'"""
    cluster.kubectl(f"patch serviceaccount default -p {patch}")
    cluster.kubectl("run mine --image=example.com/team/web:v1 --port=80")
    cluster.run_until("pod/mine ready")
    assert cluster.fork().trace.digest() == cluster.trace.digest()


def test_the_explorer_shows_the_cluster_and_carries_words() -> None:
    widget = Cluster(workers=1, seed=1).explore()
    assert "2 nodes" in widget.text
    assert widget.figure().alt
