"""The environment of a container."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.core import ConfigMap, Pod, Secret, Service
from k8slab.node.kubelet.env import (
    ConfigError,
    EnvSources,
    expand,
    make_environment,
    referenced_objects,
    service_environment,
)
from k8slab.node.kubelet.env_file import parse_env_file
from tests.node.kubelet.lab import Lab, shell


def environment(*env: dict[str, Any], env_from: Any = (), **sources: Any) -> dict[str, str]:
    container = {
        "name": "c",
        "env": list(env),
        "envFrom": list(env_from),
        "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}},
    }
    pod = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "default", "labels": {"app": "x"}},
            "spec": {"nodeName": "n1", "containers": [container]},
        }
    )
    assert isinstance(pod, Pod)
    return make_environment(pod, pod.spec.containers[0], EnvSources(**sources))


CONFIG = {("ConfigMap", "cm"): ConfigMap(data={"a": "1", "b": "2"})}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(A)", "x1y1"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A ${A} 100$", "$A ${A} 100$"),
    ],
)
def test_references_are_expanded(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


@given(st.text(alphabet="$()AB x", max_size=20))
def test_text_without_dollar_is_never_changed(text: str) -> None:
    plain = text.replace("$", "")
    assert expand(plain, {"A": "1", "B": "2"}) == plain


def test_a_value_may_refer_to_what_was_defined_before_it_only() -> None:
    env = environment(
        {"name": "LATE", "value": "$(B)"},
        {"name": "B", "value": "2"},
        {"name": "C", "value": "$(B)!"},
    )
    assert (env["LATE"], env["C"]) == ("$(B)", "2!")


def test_env_wins_over_env_from() -> None:
    env = environment(
        {"name": "a", "value": "mine"},
        env_from=[{"configMapRef": {"name": "cm"}}],
        objects=CONFIG,
    )
    assert env == {"a": "mine", "b": "2"}


def test_prefix_and_secrets() -> None:
    secret = Secret(data={"k": "c2VjcmV0"})
    env = environment(
        env_from=[{"prefix": "P_", "secretRef": {"name": "s"}}], objects={("Secret", "s"): secret}
    )
    assert env == {"P_k": "secret"}


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ({"configMapKeyRef": {"name": "no", "key": "a"}}, 'configmap "no" not found'),
        ({"secretKeyRef": {"name": "no", "key": "a"}}, 'secret "no" not found'),
        (
            {"configMapKeyRef": {"name": "cm", "key": "z"}},
            "couldn't find key z in ConfigMap default/cm",
        ),
    ],
)
def test_what_is_missing_is_named(ref: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment({"name": "X", "valueFrom": ref}, objects=CONFIG)
    assert str(caught.value) == message


def test_what_is_optional_may_be_missing() -> None:
    ref = {"configMapKeyRef": {"name": "no", "key": "a", "optional": True}}
    assert environment({"name": "X", "valueFrom": ref}) == {}


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"fieldRef": {"fieldPath": "metadata.name"}}, "web"),
        ({"fieldRef": {"fieldPath": "metadata.labels['app']"}}, "x"),
        ({"fieldRef": {"fieldPath": "spec.nodeName"}}, "n1"),
        ({"fieldRef": {"fieldPath": "status.podIP"}}, "10.244.1.2"),
        ({"fieldRef": {"fieldPath": "status.hostIP"}}, "192.168.10.11"),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "2"),
        ({"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}, "1500"),
        ({"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}, "64"),
    ],
)
def test_the_downward_api(ref: dict[str, Any], expected: str) -> None:
    env = environment(
        {"name": "X", "valueFrom": ref}, pod_ips=("10.244.1.2",), host_ips=("192.168.10.11",)
    )
    assert env["X"] == expected


def service(svc: str, ip: str, namespace: str = "default", **port: Any) -> Service:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": svc, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": [{"port": 6379, **port}]},
    }
    loaded = load(body)
    assert isinstance(loaded, Service)
    return loaded


def test_services_of_the_namespace_become_variables() -> None:
    env = service_environment([service("redis-master", "10.0.0.11")], "default", links=True)
    assert env == {
        "REDIS_MASTER_SERVICE_HOST": "10.0.0.11",
        "REDIS_MASTER_SERVICE_PORT": "6379",
        "REDIS_MASTER_PORT": "tcp://10.0.0.11:6379",
        "REDIS_MASTER_PORT_6379_TCP": "tcp://10.0.0.11:6379",
        "REDIS_MASTER_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_MASTER_PORT_6379_TCP_PORT": "6379",
        "REDIS_MASTER_PORT_6379_TCP_ADDR": "10.0.0.11",
    }


def test_what_the_manifest_says_wins_over_services() -> None:
    env = environment(
        {"name": "WEB_SERVICE_HOST", "value": "mine"},
        {"name": "URL", "value": "http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT)"},
        services=(service("web", "10.0.0.2"),),
    )
    assert (env["WEB_SERVICE_HOST"], env["URL"]) == ("mine", "http://mine:6379")


def test_only_kubernetes_is_there_without_links_and_headless_services_never() -> None:
    services = [
        service("kubernetes", "10.96.0.1", name="https"),
        service("db", "None"),
        service("web", "10.0.0.2"),
        service("other", "10.0.0.3", namespace="shop"),
    ]
    env = service_environment(services, "default", links=False)
    assert env["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert env["KUBERNETES_SERVICE_PORT_HTTPS"] == "6379"
    assert {name.partition("_")[0] for name in env} == {"KUBERNETES"}


def test_referenced_objects_are_listed_once() -> None:
    pod = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "envFrom": [{"configMapRef": {"name": "a"}}],
                        "env": [
                            {
                                "name": "X",
                                "valueFrom": {"configMapKeyRef": {"name": "a", "key": "k"}},
                            }
                        ],
                    }
                ]
            },
        }
    )
    assert isinstance(pod, Pod)
    assert referenced_objects(pod.spec.containers[0]) == [("ConfigMap", "a")]


# -- variables from a file


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A='1'\n# B='2'\n\nC='x y'", {"A": "1", "C": "x y"}),
        ("A='one\ntwo'\n", {"A": "one\ntwo"}),
        ("A='1'\nA='2'\n", {"A": "2"}),
        ("", {}),
    ],
)
def test_a_file_of_variables(text: str, found: dict[str, str]) -> None:
    assert parse_env_file(text) == found


@pytest.mark.parametrize("text", ["A=1", "A = '1'", "A='1' B='2'", "A='1", "export A='1'"])
def test_a_file_that_does_not_keep_to_the_form_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="couldn't parse env file"):
        parse_env_file(text)


def test_a_variable_from_a_file_that_an_init_container_wrote(lab: Lab) -> None:
    mounts = [{"name": "vars", "mountPath": "/vars"}]
    init = shell("""echo "MODE='fast'" > /vars/env""", "init", volumeMounts=mounts)
    ref = {"volumeName": "vars", "path": "env", "key": "MODE"}
    missing = {**ref, "key": "NONE", "optional": True}
    env = [
        {"name": "MODE", "valueFrom": {"fileKeyRef": ref}},
        {"name": "NONE", "valueFrom": {"fileKeyRef": missing}},
    ]
    lab.run_pod(
        shell("env; sleep 99", env=env),
        initContainers=[init],
        volumes=[{"name": "vars", "emptyDir": {}}],
    )
    lab.run(10)
    found = next(c for c in lab.runtime.containers() if c.config.name == "web")
    lines = [line.text for line in lab.runtime.log(found.id)]
    assert "MODE=fast" in lines
    assert not [line for line in lines if line.startswith("NONE")]
