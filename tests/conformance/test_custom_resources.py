"""Kinds that somebody defines in a running cluster, as kubectl and the controllers see them."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.addons import manifests
from tests.clients.test_custom_resources import CRD, CRON_TAB

OWNED = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  ownerReferences: [{{apiVersion: stable.example.com/v1, kind: CronTab, name: {name}, uid: {uid}}}]
---
apiVersion: stable.example.com/v1
kind: CronTab
metadata:
  name: child
  ownerReferences: [{{apiVersion: stable.example.com/v1, kind: CronTab, name: {name}, uid: {uid}}}]
spec: {{cronSpec: "* * * * *"}}
"""
NAME = "my-new-cron-object"


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster(workers=1, seed=5)
    made.kubectl("apply -f -", stdin=CRD)
    made.run(1)
    made.kubectl("apply -f -", stdin=CRON_TAB)
    return made


def says(cluster: Cluster, command: str, stdin: str = "") -> str:
    return str(cluster.kubectl(command, stdin=stdin))


def test_kubectl_knows_the_kind_by_all_its_names(cluster: Cluster) -> None:
    plain = says(cluster, "get crontabs")
    assert plain.splitlines()[0].split() == ["NAME", "SPEC", "REPLICAS", "AGE"]
    for name in ("ct", "CronTab", "crontabs.stable.example.com", "crontabs.v1.stable.example.com"):
        assert says(cluster, f"get {name}") == plain
    assert f"crontab.stable.example.com/{NAME}" in says(cluster, "get all")
    assert "stable.example.com/v1" in says(cluster, "api-versions").split()


def test_kubectl_applies_only_what_differs(cluster: Cluster) -> None:
    assert says(cluster, "apply -f -", CRON_TAB).endswith("unchanged\n")
    other = CRON_TAB.replace("my-awesome", "other")
    assert says(cluster, "apply -f -", other).endswith("configured\n")
    assert says(cluster, "get ct -o jsonpath={.items[0].spec.image}") == "other-cron-image"


def test_kubectl_explains_it_from_its_schema(cluster: Cluster) -> None:
    text = says(cluster, "explain ct.spec")
    assert "GROUP:      stable.example.com\nKIND:       CronTab\nVERSION:    v1\n" in text
    assert "  cronSpec\t<string> -required-\n    When the job runs.\n" in text
    assert "DESCRIPTION:\n    <empty>\n" in says(cluster, "explain ct.spec.image")


def test_kubectl_describes_scales_and_waits(cluster: Cluster) -> None:
    assert "scaled" in says(cluster, f"scale ct {NAME} --replicas=5")
    assert "Replicas:   5" in says(cluster, f"describe ct {NAME}")
    waited = says(cluster, f"wait --for=jsonpath={{.spec.replicas}}=5 ct/{NAME}")
    assert waited.endswith("condition met\n")


def test_a_kind_that_nobody_defined_is_unknown(cluster: Cluster) -> None:
    assert says(cluster, "get cranes") == (
        'error: the server doesn\'t have a resource type "cranes"\n'
    )
    said = says(cluster, "apply -f -", CRON_TAB.replace("CronTab", "Crane"))
    assert 'no matches for kind "Crane" in version "stable.example.com/v1"' in said
    assert said.endswith("ensure CRDs are installed first\n")


def test_the_garbage_collector_follows_owners_of_defined_kinds(cluster: Cluster) -> None:
    uid = says(cluster, f"get ct {NAME} -o jsonpath={{.metadata.uid}}")
    says(cluster, "apply -f -", OWNED.format(name=NAME, uid=uid))
    cluster.run(2)
    assert "child" in says(cluster, "get ct")
    says(cluster, f"delete ct {NAME}")
    cluster.run(5)
    assert says(cluster, "get ct") == "No resources found in default namespace.\n"
    assert "owned" not in says(cluster, "get configmaps")


def test_orphans_of_defined_kinds_are_let_go(cluster: Cluster) -> None:
    uid = says(cluster, f"get ct {NAME} -o jsonpath={{.metadata.uid}}")
    says(cluster, "apply -f -", OWNED.format(name=NAME, uid=uid))
    cluster.run(2)
    says(cluster, f"delete ct {NAME} --cascade=orphan")
    cluster.run(5)
    assert says(cluster, "get ct child -o jsonpath={.metadata.ownerReferences}") == ""


def test_a_namespace_is_emptied_of_them(cluster: Cluster) -> None:
    says(cluster, "create namespace x")
    says(cluster, "apply -n x -f -", CRON_TAB)
    says(cluster, "delete namespace x --wait=false")
    cluster.run(20)
    assert "NotFound" in says(cluster, "get namespace x")
    listed = says(cluster, "get ct -A --no-headers").splitlines()
    assert [line.split()[:2] for line in listed] == [["default", NAME]]


def test_a_definition_takes_its_objects_with_it(cluster: Cluster) -> None:
    says(cluster, "delete crd crontabs.stable.example.com")
    cluster.run(60)
    assert says(cluster, "get ct") == 'error: the server doesn\'t have a resource type "ct"\n'
    says(cluster, "apply -f -", CRD)
    cluster.run(1)
    assert says(cluster, "get ct") == "No resources found in default namespace.\n"


def test_the_past_knows_the_kinds_of_then(cluster: Cluster) -> None:
    then = cluster.now
    cluster.run(1)
    says(cluster, "delete crd crontabs.stable.example.com")
    cluster.run(10)
    assert NAME in str(cluster.at(then).kubectl("get ct"))


def test_the_gateway_api_can_be_applied(cluster: Cluster) -> None:
    says(cluster, "apply -f -", manifests.text("gateway-api"))
    cluster.run(1)
    kinds = says(cluster, "api-resources --api-group=gateway.networking.k8s.io -o name").split()
    assert [name.partition(".")[0] for name in kinds] == [
        "gatewayclasses",
        "gateways",
        "httproutes",
        "referencegrants",
    ]
    gateway = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: lab
  listeners:
  - {name: a, protocol: HTTP, port: 80, hostname: a.example.com}
  - {name: b, protocol: HTTP, port: 80, hostname: %s.example.com}
"""
    refused = says(cluster, "apply -f -", gateway % "a")
    assert "port, protocol and hostname must be unique for each listener" in refused
    assert "created" in says(cluster, "apply -f -", gateway % "b")
    pending = "get gtw front -o jsonpath={.status.conditions[*].reason}"
    assert says(cluster, pending) == "Pending Pending"


def test_why_knows_defined_kinds(cluster: Cluster) -> None:
    assert f"you created CronTab/default/{NAME}" in str(cluster.why(f"crontab/{NAME}"))
    assert "spec.replicas is 3" in str(cluster.why(f"ct/{NAME}", "spec.replicas"))
    cluster.run_until(f"crontab/{NAME} spec.replicas=3")


def test_rights_on_defined_kinds_are_given_like_others() -> None:
    cluster = Cluster(workers=1, seed=5, rbac=True)
    says(cluster, "apply -f -", CRD)
    cluster.run(1)
    says(cluster, "apply -f -", CRON_TAB)
    refused = says(cluster, "get ct --as=alice")
    assert 'User "alice" cannot list resource "crontabs" in API group "stable.exa' in refused
    says(cluster, "create clusterrole tabs --verb=list --resource=crontabs.stable.example.com")
    says(cluster, "create clusterrolebinding tabs --clusterrole=tabs --user=alice")
    assert NAME in says(cluster, "get ct --as=alice")
