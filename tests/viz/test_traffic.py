"""Who talked to whom: everything goes through the API server."""

from k8slab.viz.traffic import API, ETCD, traffic
from tests.viz import pretend


def test_components_meet_only_at_the_api_server() -> None:
    for edge in traffic(pretend.cluster(3, 9).trace):
        assert API in (edge.source, edge.target) or edge.target.startswith("containerd/")


def test_every_write_reaches_etcd() -> None:
    made = pretend.cluster(1, 1)
    writes = sum(record.revision > 0 for record in made.trace)
    to_etcd = [edge for edge in traffic(made.trace) if edge.target == ETCD]
    assert [edge.messages for edge in to_etcd] == [writes]


def test_one_write_is_news_once_to_each_component() -> None:
    made = pretend.Pretend()
    write = made.write("you", pretend.service("web", {"app": "web"}))
    made.note("kube-proxy/worker-1", "sync", "rules", cause=write)
    made.note("kube-proxy/worker-1", "sync", "rules", cause=write)
    news = [(edge.target, edge.messages) for edge in traffic(made.trace) if edge.kind == "news"]
    assert news == [("kube-proxy/worker-1", 1)]


def test_only_what_came_after_is_counted() -> None:
    made = pretend.cluster(1, 1)
    assert traffic(made.trace, len(made.trace)) == []
    assert traffic(made.trace, 0, until=-1.0) == []
