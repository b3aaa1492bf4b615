"""Claims in a whole cluster: a StatefulSet keeps its data, and its Pods go where that is."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.core import PersistentVolumeClaim, Pod

DATABASE = """
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: c
        image: busybox:1.37
        command: [sh, -c, "cat /data/f; echo hello from $HOSTNAME >> /data/f; sleep 9999"]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: alone}
spec:
  containers: [{name: c, image: nginx}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: none}}]
"""


@pytest.fixture
def database() -> Cluster:
    cluster = Cluster(workers=2, seed=7)
    cluster.apply(DATABASE)
    cluster.run_until("pod/db-1 ready")
    return cluster


def test_a_stateful_set_keeps_its_data_and_its_node(database: Cluster) -> None:
    before = database.view.get(Pod, "db-0", "default")
    assert before is not None
    database.kubectl("delete pod db-0")
    database.run_until("pod/db-0 ready")
    after = database.view.get(Pod, "db-0", "default")
    assert after is not None
    assert after.metadata.uid != before.metadata.uid
    assert after.spec.nodeName == before.spec.nodeName
    assert database.kubectl("logs db-0") == "hello from db-0\n"


def test_each_replica_has_a_claim_of_its_own(database: Cluster) -> None:
    claims = database.view.list(PersistentVolumeClaim, "default")
    assert [claim.metadata.name for claim in claims] == ["data-db-0", "data-db-1"]
    assert {claim.status.phase for claim in claims} == {"Bound"}
    assert {claim.spec.storageClassName for claim in claims} == {"standard"}


def test_a_pod_stays_away_from_nodes_without_its_data(database: Cluster) -> None:
    node = database.view.get(Pod, "db-0", "default").spec.nodeName  # type: ignore[union-attr]
    database.kubectl(f"cordon {node}")
    database.kubectl("delete pod db-0")
    database.run(10)
    assert "1 node(s) didn't match PersistentVolume's node affinity" in database.kubectl(
        "describe pod db-0"
    )


def test_explain_knows_where_the_data_is(database: Cluster) -> None:
    node = database.view.get(Pod, "db-0", "default").spec.nodeName  # type: ignore[union-attr]
    assert database.explain("pod/db-0").feasible == (node,)


def test_a_pod_waits_for_a_claim_that_is_not_there(database: Cluster) -> None:
    database.apply(POD)
    database.run(5)
    assert 'persistentvolumeclaim "none" not found' in database.kubectl("describe pod alone")
    claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: none}, spec: "
    database.apply(claim + "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}")
    database.run_until("pod/alone ready")


EPHEMERAL = """
apiVersion: v1
kind: Pod
metadata: {name: scratch}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /v}]}]
  volumes:
  - name: v
    ephemeral:
      volumeClaimTemplate:
        spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
"""


def test_an_ephemeral_volume_lives_as_long_as_its_pod(database: Cluster) -> None:
    database.apply(EPHEMERAL)
    database.run_until("pod/scratch ready")
    assert database.view.get(PersistentVolumeClaim, "scratch-v", "default") is not None
    database.kubectl("delete pod scratch")
    database.run(5)
    assert database.view.get(PersistentVolumeClaim, "scratch-v", "default") is None


ALONE = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: alone}
spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Mi}}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
"""
USER = """
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  priorityClassName: CLASS
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /v}]}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: alone}}]
"""


def test_a_claim_for_one_pod_goes_to_the_more_important_one() -> None:
    cluster = Cluster(workers=2, seed=4)
    cluster.apply(ALONE)
    cluster.apply(USER.replace("NAME", "first").replace("  priorityClassName: CLASS\n", ""))
    cluster.run_until("pod/first ready")
    cluster.apply(USER.replace("NAME", "second").replace("  priorityClassName: CLASS\n", ""))
    cluster.run(5)
    told = cluster.kubectl("describe pod second")
    assert "node has pod using PersistentVolumeClaim with the same name" in told
    cluster.apply(USER.replace("NAME", "third").replace("CLASS", "urgent"))
    cluster.run_until("pod/third ready")
    assert "NotFound" in cluster.kubectl("get pod first")
    assert cluster.kubectl("get pods").count("Running") == 1
