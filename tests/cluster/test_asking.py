"""What a learner asks a cluster: names, placements, watches; and that a replay asks the same."""

import pytest

from k8slab import Cluster


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=2, seed=5)


def names(lookup) -> list[str]:
    return [query.name for query in lookup.queries if query.type == "A"]


def test_a_name_is_asked_with_the_search_list_of_the_namespace(cluster) -> None:
    asked = cluster.resolve("kubernetes.default", namespace="shop")
    assert names(asked) == [
        "kubernetes.default.shop.svc.cluster.local",
        "kubernetes.default.svc.cluster.local",
    ]
    assert asked.addresses == ("10.96.0.1",)


def test_ndots_decides_what_is_asked_first(cluster) -> None:
    assert names(cluster.resolve("kubernetes.default", ndots=1))[0] == "kubernetes.default"


def test_musl_never_searches_with_enough_dots(cluster) -> None:
    asked = cluster.resolve("kubernetes.default", ndots=1, libc="musl")
    assert (names(asked), asked.error) == (["kubernetes.default"], "Name does not resolve")


def test_a_pod_that_does_not_exist_can_be_explained(cluster) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "big"},
        "spec": {
            "containers": [
                {"name": "a", "image": "b", "resources": {"requests": {"cpu": "9"}}},
            ]
        },
    }
    said = cluster.explain(manifest)
    assert said.nodes["worker-1"].reasons == ("Insufficient cpu",)
    assert said.feasible == ()


def test_a_pod_that_has_its_place_is_explained_as_if_it_had_none(cluster) -> None:
    cluster.kubectl("run web --image=nginx")
    cluster.run(5)
    assert set(cluster.explain("pod/web").feasible) == {"worker-1", "worker-2"}


def test_only_pods_are_placed(cluster) -> None:
    with pytest.raises(TypeError, match="the scheduler places Pods, and Service is none"):
        cluster.explain("service/kubernetes")


def test_a_watch_hears_of_a_pod_from_its_creation_to_its_end(cluster) -> None:
    watching = cluster.watch("pods")
    cluster.kubectl("run web --image=nginx")
    cluster.run(5)
    cluster.kubectl("delete pod web --now")
    cluster.run(5)
    types = [event.type for event in watching.events]
    assert (types[0], types[-1]) == ("ADDED", "DELETED")
    assert set(types[1:-1]) == {"MODIFIED"}
    assert [e.there for e in watching.events][0 :: len(types) - 1] == [1, 0]


def test_a_watch_goes_on_when_the_server_is_back(cluster) -> None:
    watching = cluster.watch("namespaces")
    cluster.stop("kube-apiserver")
    cluster.run(10)
    cluster.start("kube-apiserver")
    cluster.run(30)
    cluster.kubectl("create namespace shop")
    cluster.run(2)
    assert [(e.type, e.name) for e in watching.events if e.name] == [("ADDED", "shop")]


def test_a_fork_has_asked_the_same(cluster) -> None:
    cluster.watch("pods")
    cluster.resolve("kubernetes")
    cluster.kubectl("run web --image=nginx")
    cluster.run(5)
    assert cluster.fork().trace.digest() == cluster.trace.digest()


def test_a_kind_that_does_not_exist_cannot_be_watched(cluster) -> None:
    with pytest.raises(ValueError, match="no kind 'pdos'"):
        cluster.watch("pdos")
