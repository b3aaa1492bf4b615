import msgspec
import pytest

from k8slab import api
from k8slab.api import core, meta
from k8slab.api.scheme import KINDS, SUBRESOURCE_TYPES, lookup, resolve, resource_for


def test_a_bare_pod_shows_what_go_never_leaves_out():
    pod = core.Pod(
        metadata=meta.ObjectMeta(name="x"),
        spec=core.PodSpec(containers=(core.Container(name="c"),)),
    )
    assert api.to_dict(pod) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": ({"name": "c", "resources": {}},)},
        "status": {},
    }


def test_an_object_cannot_be_changed():
    with pytest.raises(AttributeError, match="immutable type: 'Pod'"):
        core.Pod().spec = core.PodSpec()


def test_replace_shares_what_it_does_not_change():
    pod = api.load({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "b"}}})
    newer = api.replace(pod, status=core.PodStatus(phase="Running"))
    assert newer.metadata is pod.metadata
    assert pod.status.phase == ""


def test_fields_are_given_by_name_only():
    with pytest.raises(TypeError):
        core.Container("c")


@pytest.mark.parametrize("type_", [*(kind.type for kind in KINDS), *SUBRESOURCE_TYPES])
def test_every_kind_comes_back_from_its_own_text(type_):
    empty = type_()
    assert type(api.load(api.to_yaml(empty))) is type_
    assert api.load(msgspec.json.decode(api.to_json(empty))) == empty


def test_the_three_times_of_an_event_are_written_even_when_unknown():
    event = api.to_dict(core.Event())
    assert (event["eventTime"], event["firstTimestamp"], event["lastTimestamp"]) == (None,) * 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("po", "Pod"),
        ("pods", "Pod"),
        ("Pod", "Pod"),
        ("deploy", "Deployment"),
        ("deployments.apps", "Deployment"),
        ("deployment.v1.apps", "Deployment"),
        ("netpol", "NetworkPolicy"),
        ("ep", "Endpoints"),
    ],
)
def test_people_call_a_resource_by_many_names(name, kind):
    assert resolve(name).kind == kind


def test_an_unknown_name_resolves_to_nothing():
    assert resolve("pod.apps") is None
    assert lookup("v1", "Deployment") is None


def test_a_resource_is_found_by_type_object_and_kind():
    assert resource_for(core.Service) is resource_for(core.Service()) is resource_for("Service")
    assert resource_for("Deployment").group_resource == "deployments.apps"
    assert resource_for("Deployment").api_version == "apps/v1"


def test_no_two_resources_share_a_short_name():
    short = [name for kind in KINDS for name in kind.short_names]
    assert len(short) == len(set(short))
