"""A scheduler with a configuration of one's own, and a second one beside the first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from k8slab.cluster import Cluster

PROFILES = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection:
  kubeconfig: /etc/kubernetes/scheduler.conf
profiles:
- schedulerName: default-scheduler
- schedulerName: last-worker
  pluginConfig:
  - name: NodeAffinity
    args:
      addedAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms:
          - matchExpressions:
            - {key: kubernetes.io/hostname, operator: In, values: [worker-2]}
"""

SECOND = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: my-scheduler, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: my-scheduler-as-kube-scheduler}
subjects:
- {kind: ServiceAccount, name: my-scheduler, namespace: kube-system}
roleRef: {kind: ClusterRole, name: 'system:kube-scheduler', apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: my-scheduler-as-volume-scheduler}
subjects:
- {kind: ServiceAccount, name: my-scheduler, namespace: kube-system}
roleRef: {kind: ClusterRole, name: 'system:volume-scheduler', apiGroup: rbac.authorization.k8s.io}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: my-scheduler-config, namespace: kube-system}
data:
  my-scheduler-config.yaml: |
    apiVersion: kubescheduler.config.k8s.io/v1
    kind: KubeSchedulerConfiguration
    profiles:
    - schedulerName: my-scheduler
    leaderElection:
      leaderElect: false
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-scheduler, namespace: kube-system}
spec:
  selector: {matchLabels: {component: scheduler, tier: control-plane, version: second}}
  template:
    metadata: {labels: {component: scheduler, tier: control-plane, version: second}}
    spec:
      serviceAccountName: my-scheduler
      containers:
      - name: kube-second-scheduler
        image: registry.k8s.io/kube-scheduler:v1.37.0
        command:
        - /usr/local/bin/kube-scheduler
        - --config=/etc/kubernetes/my-scheduler/my-scheduler-config.yaml
        livenessProbe:
          httpGet: {path: /healthz, port: 10259, scheme: HTTPS}
          initialDelaySeconds: 15
        readinessProbe:
          httpGet: {path: /healthz, port: 10259, scheme: HTTPS}
        resources: {requests: {cpu: 100m}}
        volumeMounts:
        - {name: config-volume, mountPath: /etc/kubernetes/my-scheduler}
      volumes:
      - name: config-volume
        configMap: {name: my-scheduler-config}
"""


def pod(scheduler: str) -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: annotation-{scheduler}}}
spec:
  schedulerName: {scheduler}
  containers: [{{name: c, image: registry.k8s.io/pause:3.10}}]
"""


def told(cluster: Any, name: str) -> list[tuple[str, str]]:
    """Who told what about a Pod, in order, kubelets left out."""
    text = cluster.kubectl(
        f"get events --field-selector involvedObject.name={name} "
        "-o jsonpath='{range .items[*]}{.source.component} {.reason}{\"\\n\"}{end}'"
    )
    pairs = [tuple(line.split()) for line in str(text).splitlines() if line]
    return [(who, what) for who, what in pairs if who != "kubelet"]


def test_the_control_planes_scheduler_has_the_profiles_of_its_file() -> None:
    cluster = Cluster(workers=2, seed=3, scheduler=PROFILES)
    manifest = cluster.node("control-plane").shell(
        "cat /etc/kubernetes/manifests/kube-scheduler.yaml"
    )
    assert "- --config=/etc/kubernetes/scheduler-config.yaml" in manifest
    cluster.apply(pod("last-worker"))
    assert cluster.explain("pod/annotation-last-worker").feasible == ("worker-2",)
    cluster.run_until("pod/annotation-last-worker ready")
    assert "worker-2" in cluster.kubectl("get pod annotation-last-worker -o wide")
    assert told(cluster, "annotation-last-worker") == [("last-worker", "Scheduled")]


def test_a_fork_and_a_saved_run_have_the_configuration_too(tmp_path: Path) -> None:
    cluster = Cluster(workers=1, seed=3, scheduler=PROFILES)
    cluster.run(1)
    cluster.save(tmp_path / "run")
    for other in (cluster.fork(), Cluster.load(tmp_path / "run")):
        assert other.made_of["scheduler"] == PROFILES
        assert other.trace.digest() == cluster.trace.digest()


def test_a_configuration_that_no_scheduler_could_start_with_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="podMaxBackoffSeconds: Invalid value"):
        Cluster(boot=False, scheduler=PROFILES + "podMaxBackoffSeconds: 0\n")


@pytest.mark.parametrize("rbac", [False, True])
def test_a_second_scheduler_places_the_pods_that_ask_for_it(rbac: bool) -> None:
    cluster = Cluster(workers=1, seed=3, rbac=rbac)
    cluster.apply(pod("my-scheduler"))
    cluster.run(60)
    assert "Pending" in cluster.kubectl("get pod annotation-my-scheduler")
    assert told(cluster, "annotation-my-scheduler") == []
    assert "no scheduler has looked at it" in str(cluster.why("pod/annotation-my-scheduler"))
    cluster.apply(SECOND)
    cluster.run_until("pod/annotation-my-scheduler ready")
    assert told(cluster, "annotation-my-scheduler") == [("my-scheduler", "Scheduled")]


def test_a_scheduler_with_a_wrong_file_says_so_and_is_started_again() -> None:
    cluster = Cluster(workers=1, seed=3)
    cluster.apply(SECOND.replace("leaderElect: false", "leaderElect: false\n    parallelism: 0"))
    cluster.run(30)
    log = cluster.kubectl("logs -n kube-system deploy/my-scheduler --previous")
    text = "parallelism: Invalid value: 0: should be an integer value greater than zero"
    assert f'"command failed" err="{text}"' in log
