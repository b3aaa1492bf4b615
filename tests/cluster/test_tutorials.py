"""What tutorials ask of images: scripts of bash, nginx in front of a Service."""

from __future__ import annotations

from k8slab import Cluster
from tests.conformance.lab import apply, container, deployment, pod, pods, ready, service, shell

NUMBERED = """
[[ $HOSTNAME =~ -([0-9]+)$ ]] || exit 1
ordinal=${BASH_REMATCH[1]}
echo server-id=$((100 + ordinal)) > /conf/id
if [[ $ordinal -eq 0 ]]; then cp /given/first /conf/role; else cp /given/others /conf/role; fi
"""


def test_a_frontend_crashes_until_its_backend_has_a_service() -> None:
    cluster = Cluster(workers=2, seed=1)
    front = container(image="gcr.io/google-samples/hello-frontend:1.0")
    back = container(image="gcr.io/google-samples/hello-go-gke:1.0")
    apply(cluster, deployment("frontend", 1, front), deployment("hello", 2, back))
    apply(cluster, service("frontend", 80), pod("client", container(image="curlimages/curl",
                                                command=["sleep", "9999"])))  # fmt: skip
    cluster.run(30)
    assert "CrashLoopBackOff" in cluster.kubectl("get pods -l app=frontend")
    assert 'host not found in upstream "hello"' in cluster.kubectl("logs deploy/frontend -p")
    apply(cluster, service("hello", 80))
    cluster.run_until("deployment/frontend available")
    cluster.run(2)  # until the rules of the nodes know it
    asked = cluster.kubectl("exec client -- curl -s http://frontend")
    assert asked == '{"message":"Hello"}\n'


def test_replicas_configure_themselves_by_their_number() -> None:
    cluster = Cluster(workers=2, seed=1)
    given = {"first": "primary\n", "others": "replica\n"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "db"}, "data": given}
    mounts = [{"name": "conf", "mountPath": "/conf"}]
    prepare = {
        **container("prepare", "mysql:8.4", command=["bash", "-c", NUMBERED]),
        "volumeMounts": [*mounts, {"name": "given", "mountPath": "/given"}],
    }
    probe = {"exec": {"command": ["mysqladmin", "ping"]}, "periodSeconds": 2}
    server = container("db", "mysql:8.4", ports=[{"containerPort": 3306}], readinessProbe=probe,
                       volumeMounts=mounts)  # fmt: skip
    volumes = [{"name": "conf", "emptyDir": {}}, {"name": "given", "configMap": {"name": "db"}}]
    made = deployment("db", 2, server, pod={"initContainers": [prepare], "volumes": volumes})
    made = {**made, "kind": "StatefulSet"}
    made["spec"]["serviceName"] = "db"
    apply(cluster, config, service("db", 3306, clusterIP="None"), made)
    ready(cluster, "db-1")
    assert len(pods(cluster, "db")) == 2
    assert (
        cluster.kubectl("exec db-0 -c db -- cat /conf/id /conf/role") == "server-id=100\nprimary\n"
    )
    assert (
        cluster.kubectl("exec db-1 -c db -- cat /conf/id /conf/role") == "server-id=101\nreplica\n"
    )


def test_each_task_of_an_indexed_job_takes_its_item_of_an_array() -> None:
    cluster = Cluster(workers=2, seed=1)
    script = "items=(foo bar 'qux quux'); echo ${items[$JOB_COMPLETION_INDEX]} > /in/data"
    mounts = [{"name": "in", "mountPath": "/in"}]
    pick = {**container("pick", "bash", command=["bash", "-c", script]), "volumeMounts": mounts}
    main = shell("rev /in/data", volumeMounts=mounts)
    template = pod("job", main, initContainers=[pick], volumes=[{"name": "in", "emptyDir": {}}],
                   restartPolicy="Never")  # fmt: skip
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job"},
        "spec": {
            "completions": 3,
            "parallelism": 3,
            "completionMode": "Indexed",
            "template": {"spec": template["spec"]},
        },
    }
    apply(cluster, job)
    cluster.run_until("job/job complete")
    logs = cluster.kubectl("logs -l job-name=job -c main --prefix=false")
    assert sorted(logs.split("\n")) == ["", "oof", "rab", "xuuq xuq"]
