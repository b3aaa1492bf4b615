from __future__ import annotations

from k8slab import Cluster


def test_an_image_taken_from_its_registry_cannot_be_pulled_until_it_is_back() -> None:
    cluster = Cluster(workers=1, seed=1)
    cluster.break_image("nginx:1.27")
    cluster.kubectl("run web --image=nginx:1.27")
    cluster.run(20)
    assert "ErrImagePull" in (shown := cluster.kubectl("get pods")) or "ImagePullBackOff" in shown
    cluster.repair_registry("nginx:1.27")
    cluster.run_until("pod/web ready")


def test_the_explorer_shows_the_cluster_and_carries_words() -> None:
    widget = Cluster(workers=1, seed=1).explore()
    assert "2 nodes" in widget.text
    assert widget.figure().alt
