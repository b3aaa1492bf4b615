"""Real kubectl and kinds that somebody defined: the documentation's CronTab, the Gateway API."""

from __future__ import annotations

import json

import pytest

from k8slab.addons import manifests

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          description: A job that runs at certain times.
          type: object
          properties:
            spec:
              description: When, and what.
              type: object
              required: [cronSpec]
              properties:
                cronSpec:
                  description: When the job runs.
                  type: string
                  pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$'
                image: {type: string}
                replicas: {type: integer, minimum: 1, maximum: 10}
            status:
              type: object
              properties: {replicas: {type: integer}, labelSelector: {type: string}}
      subresources:
        status: {}
        scale:
          specReplicasPath: .spec.replicas
          statusReplicasPath: .status.replicas
          labelSelectorPath: .status.labelSelector
      additionalPrinterColumns:
        - {name: Spec, type: string, jsonPath: .spec.cronSpec}
        - {name: Replicas, type: integer, jsonPath: .spec.replicas}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
"""
CRON_TAB = """
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: my-new-cron-object}
spec: {cronSpec: "* * * * */5", image: my-awesome-cron-image, replicas: 3}
"""


@pytest.fixture(scope="module")
def crontabs(kubectl):
    kubectl("apply -f -", stdin=CRD)
    kubectl("wait --for=condition=established --timeout=20s crd/crontabs.stable.example.com")
    kubectl("apply -f -", stdin=CRON_TAB)
    return kubectl


def test_a_defined_kind_is_found_by_all_its_names(crontabs) -> None:
    for name in ("ct", "crontab", "CronTab", "crontabs.v1.stable.example.com"):
        listed = crontabs(f"get {name}").splitlines()
        assert listed[0].split() == ["NAME", "SPEC", "REPLICAS", "AGE"]
        assert listed[1].split()[:7] == ["my-new-cron-object", "*", "*", "*", "*", "*/5", "3"]


def test_it_is_among_all(crontabs) -> None:
    assert "crontab.stable.example.com/my-new-cron-object" in crontabs("get all")


def test_it_is_explained_from_its_schema(crontabs) -> None:
    assert crontabs("explain ct.spec") == crontabs("explain crontabs.spec")
    text = crontabs("explain crontab.spec")
    assert "FIELD: spec <Object>" in text
    assert "  cronSpec\t<string> -required-\n    When the job runs.\n" in text


def test_applying_again_patches_what_differs(crontabs) -> None:
    unchanged = crontabs("apply -f -", stdin=CRON_TAB)
    assert unchanged == "crontab.stable.example.com/my-new-cron-object unchanged\n"
    other = CRON_TAB.replace("my-awesome", "another")
    assert crontabs("apply -f -", stdin=other).endswith("configured\n")
    assert crontabs("get ct -o jsonpath={.items[0].spec.image}") == "another-cron-image"


def test_what_the_schema_forbids_is_refused(crontabs) -> None:
    refused = crontabs.fails("apply -f -", stdin=CRON_TAB.replace("replicas: 3", "replicas: 11"))
    assert (
        'The CronTab "my-new-cron-object" is invalid: spec.replicas: Invalid value: 11: '
        "spec.replicas in body should be less than or equal to 10\n"
    ) in refused
    refused = crontabs.fails("create -f -", stdin=CRON_TAB.replace("image:", "imag:"))
    assert 'strict decoding error: unknown field "spec.imag"' in refused


def test_it_is_scaled_patched_and_labelled(crontabs) -> None:
    crontabs("scale ct/my-new-cron-object --replicas=5")
    crontabs("label ct my-new-cron-object tier=back")
    crontabs('patch ct my-new-cron-object --type=merge -p \'{"spec":{"image":"x"}}\'')
    found = json.loads(crontabs("get ct my-new-cron-object -o json"))
    assert found["spec"] == {"cronSpec": "* * * * */5", "image": "x", "replicas": 5}
    assert found["metadata"]["labels"] == {"tier": "back"}
    refused = crontabs.fails('patch ct my-new-cron-object -p \'{"spec":{"image":"y"}}\'')
    assert "application/json-patch+json, application/merge-patch+json" in refused


def test_server_side_apply_knows_whose_field_is_whose(crontabs) -> None:
    mine = CRON_TAB.replace("my-new-cron-object", "ssa")
    crontabs("apply --server-side -f -", stdin=mine)
    other = mine.replace("replicas: 3", "replicas: 4")
    refused = crontabs.fails("apply --server-side --field-manager=you -f -", stdin=other)
    assert 'conflict with "kubectl": .spec.replicas' in refused


def test_describe_and_wait_work_on_it(crontabs) -> None:
    assert "Cron Spec:  * * * * */5" in crontabs("describe ct my-new-cron-object")
    crontabs("wait --for=jsonpath={.spec.cronSpec} --timeout=5s ct/my-new-cron-object")


def test_an_unknown_kind_is_told_as_by_a_real_server(kubectl) -> None:
    refused = kubectl.fails("apply -f -", stdin=CRON_TAB.replace("CronTab", "CrowTab"))
    assert 'no matches for kind "CrowTab" in version "stable.example.com/v1"' in refused
    assert refused.endswith("ensure CRDs are installed first\n")
    refused = kubectl.fails("get --raw /apis/nowhere.example.com/v1/things")
    assert "the server could not find the requested resource" in refused


def test_the_gateway_api_is_there_when_it_is_applied(kubectl) -> None:
    kubectl("apply -f -", stdin=manifests.text("gateway-api"))
    kubectl(
        "wait --for=condition=established --timeout=20s "
        "crd/gateways.gateway.networking.k8s.io crd/httproutes.gateway.networking.k8s.io"
    )
    route = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: front}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
"""
    kubectl("apply -f -", stdin=route)
    path = kubectl("get httproute web -o jsonpath={.spec.rules[0].matches[0].path}")
    assert json.loads(path) == {"type": "PathPrefix", "value": "/"}
    assert "weight" in kubectl("explain httproute.spec.rules.backendRefs")


def test_deleting_the_definition_deletes_all(crontabs) -> None:
    crontabs("delete crd crontabs.stable.example.com --timeout=30s")
    assert "crontabs" not in crontabs("api-resources")


def test_the_official_python_client_handles_them_as_plain_data(kubectl) -> None:
    kubernetes = pytest.importorskip("kubernetes", reason="the official Python client")
    kubectl("apply -f -", stdin=CRD.replace("crontabs", "cranes").replace("CronTab", "Crane"))
    kubectl("wait --for=condition=established --timeout=20s crd/cranes.stable.example.com")
    client = kubernetes.config.new_client_from_config(kubectl.environment["KUBECONFIG"])
    try:
        api = kubernetes.client.CustomObjectsApi(client)
        where = ("stable.example.com", "v1", "default", "cranes")
        body = {
            "apiVersion": "stable.example.com/v1",
            "kind": "Crane",
            "metadata": {"name": "a"},
            "spec": {"cronSpec": "* * * * *", "replicas": 2},
        }
        assert api.create_namespaced_custom_object(*where, body)["metadata"]["generation"] == 1
        scale = api.patch_namespaced_custom_object_scale(*where, "a", {"spec": {"replicas": 3}})
        assert scale["spec"]["replicas"] == 3
        api.patch_namespaced_custom_object_status(*where, "a", {"status": {"replicas": 3}})
        found = api.list_namespaced_custom_object(*where)["items"]
        assert [(o["spec"]["replicas"], o["status"]["replicas"]) for o in found] == [(3, 3)]
        with pytest.raises(kubernetes.client.ApiException) as refused:
            api.create_namespaced_custom_object(*where, {**body, "spec": {}})
        assert json.loads(refused.value.body)["details"]["causes"][0]["field"] == "spec.cronSpec"
    finally:
        client.close()
