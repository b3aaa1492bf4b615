from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.control_plane.apiserver.validation import formats, validate
from k8slab.control_plane.apiserver.validation.go_text import diff, plain
from k8slab.control_plane.apiserver.validation.schedules import schedule_error


def thing(kind: str, api_version: str = "v1", /, **fields: Any) -> dict[str, Any]:
    meta = {"name": "x", "namespace": "default", **fields.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **fields}


CONTROLLERS = [
    {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": True}
    for name in ("a", "b")
]
TAINT = {"key": "a", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (thing("ConfigMap", metadata={"name": ""}),
         "metadata.name: Required value: name or generateName is required"),
        (thing("Namespace", metadata={"name": "a.b"}),
         'metadata.name: Invalid value: "a.b": must not contain dots'),
        (thing("ConfigMap", metadata={"name": "a" * 254}),
         f'metadata.name: Invalid value: "{"a" * 254}": must be no more than 253 characters'),
        (thing("ConfigMap", metadata={"annotations": {"a": "x" * 262144}}),
         "metadata.annotations: Too long: may not be more than 262144 bytes"),
        (thing("ConfigMap", metadata={"finalizers": ["x"]}),
         'metadata.finalizers[0]: Invalid value: "x": '
         "name is neither a standard finalizer name nor is it fully qualified"),
        (thing("ConfigMap", metadata={"ownerReferences": [{"apiVersion": "v1"}]}),
         'metadata.ownerReferences.uid: Invalid value: "": must not be empty'),
        (thing("ConfigMap", data={"a/b": "x"}),
         "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric "
         "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex "
         "used for validation is '[-._a-zA-Z0-9]+')"),
        (thing("ConfigMap", data={"..": "x"}), 'data[..]: Invalid value: "..": must not be \'..\''),
        (thing("ConfigMap", data={"a": "x" * 1048577}),
         ": Too long: may not be more than 1048576 bytes"),
        (thing("Secret", type="kubernetes.io/tls", data={"tls.crt": ""}),
         "data[tls.key]: Required value"),
        (thing("Node", spec={"taints": [{"key": "a", "effect": "Later"}]}),
         'metadata.taints[0].effect: Unsupported value: "Later": '
         'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'),
        (thing("Node", spec={"taints": [TAINT, TAINT]}),
         'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule",'
         '"TimeAdded":null}: taints must be unique by key and effect pair'),
        (thing("Lease", "coordination.k8s.io/v1", spec={"leaseDurationSeconds": 0}),
         "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"),
        (thing("Event", involvedObject={"namespace": "other"}),
         'involvedObject.namespace: Invalid value: "other": does not match event.namespace'),
        (thing("PriorityClass", "scheduling.k8s.io/v1", value=2_000_000_000),
         "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
        (thing("PodDisruptionBudget", "policy/v1", spec={"minAvailable": "110%"}),
         'spec.minAvailable: Invalid value: "110%": must not be greater than 100%'),
        (thing("NetworkPolicy", "networking.k8s.io/v1",
               spec={"podSelector": {}, "ingress": [{"from": [{}]}]}),
         "spec.ingress[0].from[0]: Required value: must specify a peer"),
        (thing("Ingress", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": [
            {"path": "x", "pathType": "Prefix", "backend": {
                "service": {"name": "s", "port": {"number": 80}}}}]}}]}),
         'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path'),
    ],
)  # fmt: skip
def test_an_object_is_refused_in_upstreams_words(
    wrong: Any, manifest: dict[str, Any], expected: str
) -> None:
    assert expected in wrong(manifest)


def test_an_object_has_one_controller(wrong: Any) -> None:
    (found,) = wrong(thing("ConfigMap", metadata={"ownerReferences": CONTROLLERS}))
    assert found.endswith(
        'Only one reference can have Controller set to true. Found "true" in references for '
        "Pod/a and Pod/b"
    )


def test_an_immutable_config_map_stays_as_it_is(wrong: Any) -> None:
    before = thing("ConfigMap", immutable=True, data={"a": "1"})
    text = "Forbidden: field is immutable when `immutable` is set"
    after = thing("ConfigMap", data={"a": "2"})
    assert wrong(after, before) == [f"immutable: {text}", f"data: {text}"]


def test_a_fault_in_labels_is_told_once_and_counted_twice() -> None:
    old = load(thing("ConfigMap"))
    new = load(thing("ConfigMap", metadata={"labels": {"a": "-"}}))
    found = validate(new, old)
    assert len(found) == 2
    assert found[0] == found[1]


def test_a_change_elsewhere_does_not_stumble_over_old_labels() -> None:
    old: Any = load(thing("ConfigMap", metadata={"labels": {"a": "-"}}))
    new: Any = load(thing("ConfigMap", metadata={"labels": {"a": "-"}}, data={"a": "1"}))
    assert validate(new, old) == []


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True))
def test_what_is_a_label_is_a_subdomain_and_a_label_value(text: str) -> None:
    assert formats.dns_label(text) == ()
    assert formats.dns_subdomain(text) == ()
    assert formats.label_value(text) == ()


@given(st.text(max_size=20))
def test_no_text_is_both_a_port_and_a_port_name(text: str) -> None:
    if formats.port(text) == ():
        assert not text.isdecimal()
        assert len(text) <= 15


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/5 0-6,22 1 jan-mar mon", ""),
        ("@hourly", ""),
        ("@every 1h30m", ""),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("* * *", "expected exactly 5 fields, found 3: [* * *]"),
    ],
)
def test_a_schedule_is_refused_in_the_words_of_its_library(text: str, expected: str) -> None:
    assert schedule_error(text) == expected


def test_the_servers_own_spec_has_every_field_and_the_hosts_in_the_security_context(
    pod_with: Any,
) -> None:
    pod: Any = load(pod_with(hostPID=True, securityContext={"runAsUser": 1}))
    found = plain(pod.spec)
    assert list(found)[:3] == ["Volumes", "InitContainers", "Containers"]
    assert found["Volumes"] is None
    assert list(found["SecurityContext"])[:2] == ["HostNetwork", "HostPID"]
    assert (found["SecurityContext"]["HostPID"], found["SecurityContext"]["RunAsUser"]) == (True, 1)


def test_equal_specs_differ_in_no_line(pod_with: Any) -> None:
    pod: Any = load(pod_with())
    assert diff(pod.spec, pod.spec) == ""
