from __future__ import annotations

from typing import Any

import pytest

CONTAINER = "spec.containers[0]"
TWICE = {"name": "web", "image": "nginx"}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"image": ""}, f"{CONTAINER}.image: Required value"),
        (
            {"image": " nginx"},
            f'{CONTAINER}.image: Invalid value: " nginx": '
            "must not have leading or trailing whitespace",
        ),
        ({"name": ""}, f"{CONTAINER}.name: Required value"),
        ({"name": "a.b"}, f'{CONTAINER}.name: Invalid value: "a.b": must not contain dots'),
        (
            {"ports": [{"containerPort": 0}]},
            f"{CONTAINER}.ports[0].containerPort: Required value",
        ),
        (
            {"ports": [{"containerPort": 65536}]},
            f"{CONTAINER}.ports[0].containerPort: Invalid value: 65536: "
            "must be between 1 and 65535, inclusive",
        ),
        (
            {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
            f'{CONTAINER}.ports[1].name: Duplicate value: "a"',
        ),
        (
            {"ports": [{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]},
            f'{CONTAINER}.ports[1].hostPort: Duplicate value: "TCP//9"',
        ),
        (
            {"ports": [{"containerPort": 1, "protocol": "ICMP"}]},
            f'{CONTAINER}.ports[0].protocol: Unsupported value: "ICMP": '
            'supported values: "SCTP", "TCP", "UDP"',
        ),
        ({"env": [{"name": ""}]}, f"{CONTAINER}.env[0].name: Required value"),
        (
            {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]},
            f'{CONTAINER}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "x": '
            "error converting fieldPath: field label not supported: x",
        ),
        (
            {"envFrom": [{}]},
            f'{CONTAINER}.envFrom: Invalid value: "": '
            "must specify one of: `configMapRef` or `secretRef`",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            f'{CONTAINER}.volumeMounts[0].name: Not found: "v"',
        ),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
            f'{CONTAINER}.resources.requests: Invalid value: "2": '
            "must be less than or equal to cpu limit of 1",
        ),
        (
            {"resources": {"limits": {"cpu": "-1"}, "requests": {"cpu": "-1"}}},
            f'{CONTAINER}.resources.limits[cpu]: Invalid value: "-1": '
            "must be greater than or equal to 0",
        ),
        (
            {"resources": {"requests": {"example.com/gpu": "1"}}},
            f"{CONTAINER}.resources.limits: Required value: "
            "Limit must be set for non overcommitable resources",
        ),
        (
            {"resources": {"requests": {"disk": "1"}, "limits": {"disk": "1"}}},
            f'{CONTAINER}.resources.limits[disk]: Invalid value: "disk": '
            "must be a standard resource type or fully qualified",
        ),
        (
            {"livenessProbe": {}},
            f"{CONTAINER}.livenessProbe: Required value: must specify a handler type",
        ),
        (
            {"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}},
            f"{CONTAINER}.livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            {"readinessProbe": {"tcpSocket": {"port": 1}, "exec": {"command": ["true"]}}},
            f"{CONTAINER}.readinessProbe.tcpSocket: Forbidden: "
            "may not specify more than 1 handler type",
        ),
        (
            {"readinessProbe": {"httpGet": {"port": "80"}}},
            f'{CONTAINER}.readinessProbe.httpGet.port: Invalid value: "80": '
            "must contain at least one letter (a-z)",
        ),
        (
            {"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}},
            f"{CONTAINER}.lifecycle.preStop.sleep: Invalid value: 31: "
            "must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
        (
            {"securityContext": {"runAsUser": -1}},
            f"{CONTAINER}.securityContext.runAsUser: Invalid value: -1: "
            "must be between 0 and 4294967295, inclusive",
        ),
    ],
)
def test_a_container_is_refused_in_upstreams_words(
    wrong: Any, pod_with: Any, container: dict[str, Any], expected: str
) -> None:
    assert expected in wrong(pod_with(container))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": []}, ["spec.containers: Required value"]),
        (
            {"containers": [TWICE, TWICE]},
            ['spec.containers[1].name: Duplicate value: "web"'],
        ),
        (
            {"initContainers": [{**TWICE, "livenessProbe": {"tcpSocket": {"port": 1}}}]},
            [
                'spec.initContainers[0].name: Duplicate value: "web"',
                "spec.initContainers[0].livenessProbe: Forbidden: "
                "may not be set for init containers without restartPolicy=Always",
            ],
        ),
        (
            {
                "initContainers": [
                    {
                        **TWICE,
                        "name": "s",
                        "restartPolicy": "Always",
                        "livenessProbe": {"tcpSocket": {"port": 1}},
                    }
                ]
            },
            [],
        ),
        (
            {"restartPolicy": "Sometimes"},
            [
                'spec.restartPolicy: Unsupported value: "Sometimes": '
                'supported values: "Always", "OnFailure", "Never"'
            ],
        ),
        (
            {"dnsPolicy": "None"},
            ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
        ),
        (
            {"tolerations": [{"key": "a", "operator": "Exists", "value": "x"}]},
            [
                'spec.tolerations[0].operator: Invalid value: "x": '
                "value must be empty when `operator` is 'Exists'"
            ],
        ),
        (
            {"tolerations": [{"operator": "Equal"}]},
            [
                'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists '
                'when `key` is empty, which means "match all values and all keys"'
            ],
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}
                    }
                }
            },
            [
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
                "nodeSelectorTerms: Required value: must have at least one node selector term"
            ],
        ),
        (
            {
                "affinity": {
                    "podAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {"weight": 101, "podAffinityTerm": {"topologyKey": "zone"}}
                        ]
                    }
                }
            },
            [
                "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]"
                ".weight: Invalid value: 101: must be in the range 1-100"
            ],
        ),
        (
            {
                "topologySpreadConstraints": [
                    {"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "Maybe"}
                ]
            },
            [
                "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: "
                "must be greater than zero",
                "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
                'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Maybe": '
                'supported values: "DoNotSchedule", "ScheduleAnyway"',
            ],
        ),
        (
            {"volumes": [{"name": "v", "configMap": {"name": ""}}, {"name": "v", "emptyDir": {}}]},
            [
                "spec.volumes[0].configMap.name: Required value",
                'spec.volumes[1].name: Duplicate value: "v"',
            ],
        ),
        (
            {"volumes": [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/a/../b"}}]},
            ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
        ),
        (
            {
                "hostNetwork": True,
                "containers": [{**TWICE, "ports": [{"containerPort": 80, "hostPort": 81}]}],
            },
            [
                "spec.containers[0].ports[0].hostPort: Invalid value: 81: "
                "must match `containerPort` when `hostNetwork` is true"
            ],
        ),
        (
            {"nodeName": "a", "schedulingGates": [{"name": "example.com/wait"}]},
            ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
        ),
        (
            {"activeDeadlineSeconds": 0},
            [
                "spec.activeDeadlineSeconds: Invalid value: 0: "
                "must be between 1 and 2147483647, inclusive"
            ],
        ),
    ],
)
def test_a_pod_is_refused_in_upstreams_words(
    wrong: Any, pod_with: Any, spec: dict[str, Any], expected: list[str]
) -> None:
    assert wrong(pod_with(**spec)) == expected


def test_whoever_mounts_a_volume_with_a_fault_is_told_that_there_is_none(
    wrong: Any, pod_with: Any
) -> None:
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    found = wrong(pod_with(mount, volumes=[{"name": "v", "secret": {}}]))
    assert found[0] == "spec.volumes[0].secret.secretName: Required value"
    assert found[1] == 'spec.containers[0].volumeMounts[0].name: Not found: "v"'


def test_a_template_is_checked_where_it_is_and_its_metadata_elsewhere(
    wrong: Any, workload: Any
) -> None:
    manifest = workload("Deployment")
    manifest["spec"]["template"]["metadata"]["labels"]["a b"] = "c"
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = ""
    paths = [text.partition(":")[0] for text in wrong(manifest)]
    assert paths == ["spec.template.labels", "spec.template.spec.containers[0].image"]
