"""Whole Pods that real kubectl sends in protobuf: a copy is what was copied."""

from __future__ import annotations

import json
from typing import Any

import pytest

POD_SPEC = """
  activeDeadlineSeconds: 3600
  automountServiceAccountToken: true
  enableServiceLinks: false
  hostname: host
  subdomain: sub
  shareProcessNamespace: true
  terminationGracePeriodSeconds: 0
  hostAliases: [{ip: 10.0.0.1, hostnames: [one, two]}]
  dnsConfig: {nameservers: [10.96.0.10], searches: [a.b], options: [{name: ndots, value: "1"}]}
  nodeSelector: {kubernetes.io/os: linux}
  readinessGates: [{conditionType: example.com/ready}]
  tolerations:
  - {key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 0}
  - {key: b, value: c, effect: NoSchedule}
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway,
     labelSelector: {matchExpressions: [{key: a, operator: In, values: [b, c]}]}}
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: Exists}]}]
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 5, preference: {matchFields: [{key: metadata.name, operator: In, values: [x]}]}}
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 1
        podAffinityTerm: {topologyKey: zone, namespaces: [x], labelSelector: {matchLabels: {a: b}}}
  securityContext:
    {runAsUser: 0, fsGroup: 7, supplementalGroups: [1, 2], seccompProfile: {type: RuntimeDefault}}
  initContainers:
  - {name: before, image: "busybox:1.37", command: ["true"]}
  containers:
  - name: main
    image: busybox:1.37
    command: [sleep, "86400"]
    env:
    - {name: A, value: b}
    - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: R, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
    - {name: C, valueFrom: {configMapKeyRef: {name: conf, key: k, optional: true}}}
    envFrom: [{prefix: p, secretRef: {name: sec, optional: true}}]
    ports: [{name: http, containerPort: 8080}]
    resources: {limits: {cpu: "1", memory: 64Mi}, requests: {cpu: 100m}}
    securityContext: {privileged: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    livenessProbe: {exec: {command: ["true"]}, initialDelaySeconds: 600}
    readinessProbe: {httpGet: {path: /, port: http, httpHeaders: [{name: X, value: z}]}}
    startupProbe: {tcpSocket: {port: 8080}, failureThreshold: 100}
    lifecycle: {preStop: {sleep: {seconds: 0}}, postStart: {exec: {command: ["true"]}}}
    volumeMounts: [{name: scratch, mountPath: /scratch, subPath: x}]
  volumes:
  - {name: scratch, emptyDir: {medium: Memory, sizeLimit: 1Gi}}
  - {name: empty, emptyDir: {}}
  - name: conf
    configMap: {name: conf, optional: true, defaultMode: 256, items: [{key: k, path: p}]}
  - {name: sec, secret: {secretName: sec, optional: true}}
  - {name: host, hostPath: {path: /tmp, type: Directory}}
  - name: all
    projected:
      sources:
      - {downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
      - {secret: {name: sec, optional: true}}
"""
POD = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: whole, labels: {{a: b}}}}\nspec:{POD_SPEC}"
CRON_JOB = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: whole}
spec:
  schedule: "@yearly"
  jobTemplate:
    metadata: {labels: {from: template}}
    spec:
      completionMode: Indexed
      completions: 2
      backoffLimitPerIndex: 0
      podFailurePolicy:
        rules:
        - {action: Ignore, onPodConditions: [{type: DisruptionTarget}]}
        - {action: FailIndex, onExitCodes: {operator: In, values: [3, 42]}}
      template:
        metadata: {labels: {a: b}}
        spec:
          restartPolicy: Never
"""


def spec_of(kubectl: Any, what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kubectl(f"get {what} -o json"))["spec"]
    return found


@pytest.fixture(scope="module")
def whole(kubectl: Any) -> dict[str, Any]:
    """The Pod as it is stored."""
    kubectl("create -f -", stdin=POD)
    return spec_of(kubectl, "pod/whole")


def without_token(spec: dict[str, Any]) -> dict[str, Any]:
    """The parts of a Pod that a copy is given again: its node and its token's volume."""
    mounts = ("kube-api-access",)
    text = json.loads(json.dumps(spec))
    text.pop("nodeName", None)
    text["volumes"] = [v for v in text["volumes"] if not v["name"].startswith(mounts)]
    for container in [*text["containers"], *text.get("initContainers", ())]:
        left = [m for m in container.get("volumeMounts", ()) if not m["name"].startswith(mounts)]
        container["volumeMounts"] = left
    return text


def test_a_copied_pod_is_what_was_copied(kubectl: Any, whole: dict[str, Any]) -> None:
    kubectl(
        "debug pod/whole --copy-to=copy --image=busybox:1.37 --keep-liveness=true"
        " --keep-readiness=true --keep-startup=true --keep-init-containers=true"
        " -c extra --profile=legacy"
    )
    copy = without_token(spec_of(kubectl, "pod/copy"))
    (extra,) = [c for c in copy["containers"] if c["name"] == "extra"]
    copy["containers"].remove(extra)
    assert copy == without_token(whole)


def test_a_job_from_a_cron_job_has_its_template(kubectl: Any) -> None:
    indented = "\n".join(f"        {line}" for line in POD_SPEC.splitlines())
    kubectl("create -f -", stdin=f"{CRON_JOB}{indented}")
    template = spec_of(kubectl, "cronjob/whole")["jobTemplate"]["spec"]
    kubectl("create job copied --from=cronjob/whole")
    copied = spec_of(kubectl, "job/copied")
    assert copied["podFailurePolicy"] == template["podFailurePolicy"]
    assert copied["backoffLimitPerIndex"] == 0
    assert copied["template"]["spec"] == template["template"]["spec"]
