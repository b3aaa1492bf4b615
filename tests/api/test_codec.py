import os
from pathlib import Path

import pytest

from k8slab.api import DecodeError, core, load, load_all, to_dict, to_yaml
from k8slab.api.codec import convert
from k8slab.api.diagnosis import unknown_fields

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: x
  labels: {app: web}
spec:
  containers:
  - name: a
    image: nginx
    ports:
    - containerPort: 80
    resources:
      limits: {cpu: 1}
    readinessProbe:
      httpGet: {port: http}
"""


def test_a_pod_is_read_and_its_quantities_made_canonical():
    pod = load(POD.replace("cpu: 1", "cpu: 0.5, memory: 1024Mi"))
    assert isinstance(pod, core.Pod)
    assert pod.spec.containers[0].resources.limits == {"cpu": "500m", "memory": "1Gi"}
    assert pod.spec.containers[0].readinessProbe.httpGet.port == "http"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "readinessProbe",
            "readynessProbe",
            'Pod.spec.containers[0]: unknown field "readynessProbe", '
            'did you mean "readinessProbe"? (line 14)',
        ),
        ("spec:", "xyzzy: 1\nspec:", 'Pod: unknown field "xyzzy" (line 6)'),
        (
            "80",
            "eighty",
            "Pod.spec.containers[0].ports[0].containerPort: "
            'expected int, found string "eighty" (line 11)',
        ),
        ("app: web", "app: yes", "Pod.metadata.labels.app: expected string, found bool (line 5)"),
        (
            "cpu: 1",
            "cpu: 1K",
            "Pod.spec.containers[0].resources.limits.cpu: "
            'expected a quantity such as 250m or 64Mi, found "1K" (line 13)',
        ),
        (
            "kind: Pod",
            "kind: Podd",
            'no matches for kind "Podd" in version "v1", did you mean "Pod"? (line 2)',
        ),
        (
            ": v1",
            ": v2",
            'no matches for kind "Pod" in version "v2", did you mean version "v1"? (line 2)',
        ),
        ("{app: web}", "[a]", "Pod.metadata.labels: expected a map, found a list (line 5)"),
        ("  name: x", "  name: x\n  name: y", 'key "name" already set in map (line 5)'),
        ("{app: web}", "{app: web", "did not find expected ',' or '}' (line 6)"),
    ],
)
def test_a_fault_is_named_with_field_and_line(old, new, message):
    with pytest.raises(DecodeError) as caught:
        load(POD.replace(old, new, 1))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "upstream"),
    [
        (
            {"metadata": {"name": True}},
            "json: cannot unmarshal bool into Go struct field "
            "ObjectMeta.metadata.name of type string",
        ),
        (
            {"metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field "
            "ObjectMeta.metadata.labels of type string",
        ),
        (
            {"spec": {"containers": 5}},
            "json: cannot unmarshal number into Go struct field "
            "PodSpec.spec.containers of type []v1.Container",
        ),
        (
            {"spec": {"containers": [{"ports": [{"containerPort": 1.5}]}]}},
            "json: cannot unmarshal number 1.5 into Go struct field "
            "ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
    ],
)
def test_the_api_server_has_its_own_words_for_it(data, upstream):
    with pytest.raises(DecodeError) as caught:
        convert(data, core.Pod)
    assert caught.value.upstream == upstream


def test_all_unknown_fields_are_reported_and_can_be_dropped():
    data = {"foo": 1, "spec": {"bar": 2, "containers": [{"name": "c", "baz": 3}]}}
    assert unknown_fields(data, core.Pod) == [
        'unknown field "foo"',
        'unknown field "spec.bar"',
        'unknown field "spec.containers[0].baz"',
    ]
    expected = core.Pod(spec=core.PodSpec(containers=(core.Container(name="c"),)))
    assert convert(data, core.Pod, drop_unknown=True) == expected


def test_nulls_are_absent_and_whole_floats_are_numbers():
    data = {"spec": {"replicas": None, "volumes": None, "priority": 5.0}, "metadata": None}
    del data["spec"]["replicas"]
    assert convert(data, core.Pod) == core.Pod(spec=core.PodSpec(priority=5))
    assert convert({"data": {"a": None}}, core.ConfigMap).data == {"a": ""}


def test_a_list_is_flattened_and_counted_from_its_own_lines():
    text = "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod}\n- kind: Podd\n"
    assert len(load_all(text.replace("kind: Podd", "{apiVersion: v1, kind: Secret}"))) == 2
    with pytest.raises(DecodeError, match=r"'apiVersion' is missing in .* \(line 5\)"):
        load_all(text)


def test_load_wants_one_object():
    with pytest.raises(DecodeError, match="expected one object, found 2: use load_all"):
        load(POD + "---\n" + POD)


@pytest.mark.parametrize("data", [5, "just text", "- 1", "", {"kind": "Pod"}, {"apiVersion": "v1"}])
def test_what_is_no_object_at_all_is_refused(data):
    with pytest.raises(DecodeError):
        load(data)


def _manifests():
    beside = Path(__file__).parents[2].parent / "shared" / "manifests"
    return sorted(Path(os.environ.get("K8SLAB_MANIFESTS", beside)).glob("*.yaml"))


@pytest.mark.skipif(not _manifests(), reason="needs K8SLAB_MANIFESTS")
def test_real_manifests_survive_being_read_and_written():
    for file in _manifests():
        for obj in load_all(file.read_text()):
            assert load(to_yaml(obj)) == obj
            assert load(to_dict(obj)) == obj
