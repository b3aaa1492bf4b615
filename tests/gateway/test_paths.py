from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.errors import ApiError
from k8slab.api.scheme import KINDS
from k8slab.gateway.messages import http_request
from k8slab.gateway.paths import parse, target

NS = "/api/v1/namespaces/x"


@pytest.mark.parametrize(
    ("method", "url", "wanted"),
    [
        ("GET", f"{NS}/pods", "list pods x  "),
        ("GET", f"{NS}/pods/", "list pods x  "),
        ("GET", "/api/v1/pods?watch=true", "watch pods   "),
        ("GET", f"{NS}/pods/web", "get pods x web "),
        ("GET", f"{NS}/pods/web/log", "get pods x web log"),
        ("POST", f"{NS}/pods/web/exec", "get pods x web exec"),
        ("POST", f"{NS}/pods/web/binding", "create pods x web binding"),
        ("GET", NS, "get namespaces  x "),
        ("PUT", f"{NS}/finalize", "update namespaces  x finalize"),
        ("PATCH", "/apis/apps/v1/namespaces/x/deployments/d/scale", "patch deployments x d scale"),
        ("DELETE", f"{NS}/configmaps", "deletecollection configmaps x  "),
        ("GET", "/api/v1/watch/namespaces/x/pods", "watch pods x  "),
    ],
)
def test_a_url_means_one_call(method, url, wanted) -> None:
    _, request = parse(http_request(method, url))
    found = (request.verb, request.resource, request.namespace, request.name, request.subresource)
    assert " ".join(found) == wanted


@pytest.mark.parametrize("resource", KINDS, ids=lambda resource: resource.plural)
def test_the_path_of_every_resource_leads_to_it(resource) -> None:
    root = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
    namespace = "/namespaces/x" if resource.namespaced else ""
    found = target(f"{root}{namespace}/{resource.plural}/n")
    assert found is not None
    assert (found.resource, found.name) == (resource, "n")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/apis/apps",
        "/api/v2/pods",
        "/apis/apps/v1beta1/deployments",
        "/api/v1/nosuch",
        "/api/v1/pods/web",
    ],
)
def test_other_paths_lead_to_no_resource(path) -> None:
    assert target(path) is None


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("PUT", f"{NS}/pods"),
        ("POST", f"{NS}/pods/web"),
        ("POST", "/api/v1/pods"),
        ("DELETE", "/api/v1/watch/namespaces/x/pods"),
        ("OPTIONS", f"{NS}/pods"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_405(method, url) -> None:
    with pytest.raises(ApiError) as refused:
        parse(http_request(method, url))
    assert (refused.value.code, refused.value.reason) == (405, "MethodNotAllowed")


def test_the_old_way_to_watch_one_object_selects_its_name() -> None:
    _, request = parse(http_request("GET", f"/api/v1/watch{NS[7:]}/pods/web"))
    assert request.field_selector == "metadata.name=web"


@given(st.text(alphabet="/apis-v1nmesoduwtch{}%?.", max_size=60))
def test_any_path_has_at_most_one_meaning(path) -> None:
    found = target(path)
    assert found is None or found.resource in KINDS
