"""Real kubectl against a served cluster: what it asks is answered as it expects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.clients.conftest import WEB


def test_it_sees_the_nodes(kubectl) -> None:
    lines = kubectl("get nodes").splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["control-plane", "Ready"],
        ["worker-1", "Ready"],
        ["worker-2", "Ready"],
    ]


def test_it_knows_the_version_of_the_server(kubectl) -> None:
    assert json.loads(kubectl("version -o json"))["serverVersion"]["minor"] == "37"


def test_api_resources_come_from_discovery(kubectl) -> None:
    found = kubectl("api-resources --no-headers -o name").split()
    assert {"pods", "deployments.apps", "networkpolicies.networking.k8s.io"} <= set(found)
    assert "apps/v1" in kubectl("api-versions").split()


def test_explain_reads_the_schemas(kubectl) -> None:
    text = kubectl("explain deployment.spec.strategy")
    assert "FIELD: strategy <DeploymentStrategy>" in text
    assert "rollingUpdate\t<RollingUpdateDeployment>" in text


def test_an_applied_manifest_becomes_running_pods(web) -> None:
    lines = web("get pods -l app=web --no-headers").splitlines()
    assert [line.split()[1:3] for line in lines] == [["1/1", "Running"]] * 2


def test_applying_again_says_unchanged(web) -> None:
    assert web("apply -f -", stdin=WEB).splitlines() == [
        "deployment.apps/web unchanged",
        "service/web unchanged",
    ]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("-o name", "service/web"),
        ("-o jsonpath='{.spec.ports[0].port}'", "80"),
        ("-o custom-columns=A:.metadata.name,B:.spec.type", "A     B\nweb   ClusterIP"),
        ("-o go-template='{{.kind}}'", "Service"),
    ],
)
def test_objects_are_printed_in_all_forms(web, form, wanted) -> None:
    assert web(f"get svc web {form}").strip() == wanted


def test_yaml_can_be_applied_again(web) -> None:
    text = web("get deployment web -o yaml")
    assert "managedFields" not in text
    assert web("apply -f -", stdin=text).strip() == "deployment.apps/web configured"


def test_wide_and_sorted_tables(web) -> None:
    assert "NOMINATED NODE" in web("get pods -o wide")
    names = web("get pods -A --sort-by=.metadata.name --no-headers -o name").split()
    assert names == sorted(names)


def test_selectors_are_evaluated_by_the_server(web) -> None:
    assert web("get pods -l app!=web -o name").count("web-") == 0
    found = web("get pods -A --field-selector spec.nodeName=control-plane -o name").split()
    assert "pod/etcd-control-plane" in found


def test_describe_shows_the_events(web) -> None:
    pod = web("get pods -l app=web -o name").split()[0]
    text = web(f"describe {pod}")
    assert "Successfully assigned default/" in text
    assert "Started container web" in text or "Container started" in text


def test_events_are_listed(web) -> None:
    assert "ScalingReplicaSet" in web("get events")
    assert "Scaled up replica set" in web("events --for deployment/web")


@pytest.mark.parametrize(
    "what",
    [
        "deployment d1 --image=nginx --replicas=0",
        "configmap c1 --from-literal=a=1",
        "secret generic s1 --from-literal=a=1",
        "namespace n1",
        "serviceaccount a1",
        "service clusterip v1 --tcp=80:8080",
        "job j1 --image=busybox -- date",
        "cronjob x1 --image=busybox --schedule='0 0 1 1 *' -- date",
        "role r1 --verb=get --resource=pods",
        "rolebinding b1 --role=r1 --user=me",
        "clusterrole cr1 --verb=get --resource=pods",
        "clusterrolebinding cb1 --clusterrole=cr1 --group=us",
        "quota q1 --hard=pods=30,cpu=20 -n kube-public",
        "poddisruptionbudget p1 --selector=app=none --min-available=1",
        "priorityclass pc1 --value=7",
        "ingress i1 --rule=a.b/c=web:80",
    ],
)
def test_what_kubectl_makes_up_arrives_as_it_would_be_sent_in_json(kubectl, what) -> None:
    command, *rest = what.split(" -- ")
    rest = [f"-- {part}" for part in rest]
    meant = json.loads(kubectl(" ".join(["create", command, "--dry-run=client -o json", *rest])))
    stored = json.loads(kubectl(" ".join(["create", command, "-o json", *rest])))
    assert contains(stored, without_nothing(meant)), f"{stored}\n{meant}"


def without_nothing(value):
    """Plain data without what says nothing: null, empty maps and lists."""
    if isinstance(value, dict):
        kept = {k: without_nothing(v) for k, v in value.items() if k != "status"}
        return {k: v for k, v in kept.items() if v not in (None, {}, [])}
    return [without_nothing(v) for v in value] if isinstance(value, list) else value


def contains(stored, meant) -> bool:
    if isinstance(meant, dict):
        return isinstance(stored, dict) and all(
            contains(stored.get(k), v) for k, v in meant.items()
        )
    if isinstance(meant, list):
        return len(stored) == len(meant) and all(map(contains, stored, meant))
    return stored == meant


def test_autoscale_stores_an_autoscaler(web) -> None:
    assert web("autoscale deployment web --min=2 --max=4 --cpu=50%").strip().endswith("autoscaled")
    assert web("get hpa web -o jsonpath='{.spec.maxReplicas}'") == "4"


def test_scale_and_wait(web) -> None:
    web("scale deployment web --replicas=3")
    web("wait --for=jsonpath='{.status.readyReplicas}'=3 deployment/web --timeout=20s")
    assert len(web("get pods -l app=web -o name").split()) == 3


def test_a_rollout_can_be_watched_and_undone(web) -> None:
    web("set image deployment/web web=nginx:1.28")
    assert "successfully rolled out" in web("rollout status deployment/web --timeout=20s")
    assert web("rollout history deployment/web").count("<none>") == 2
    web("rollout undo deployment/web")
    web("rollout status deployment/web --timeout=20s")
    image = web("get deployment web -o jsonpath='{.spec.template.spec.containers[0].image}'")
    assert image == "nginx:1.27"


def test_a_rollout_can_be_restarted_paused_and_resumed(web) -> None:
    assert web("rollout restart deployment/web").strip() == "deployment.apps/web restarted"
    web("rollout status deployment/web --timeout=20s")
    assert web("rollout pause deployment/web").strip() == "deployment.apps/web paused"
    assert web("rollout resume deployment/web").strip() == "deployment.apps/web resumed"


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", '{"metadata":{"labels":{"strategic":"yes"}}}'),
        ("merge", '{"metadata":{"labels":{"merge":"yes"}}}'),
        ("json", '[{"op":"add","path":"/metadata/labels","value":{"json":"yes"}}]'),
    ],
)
def test_patches_of_every_type(web, kind, patch) -> None:
    web(f"patch service web --type={kind} -p '{patch}'")
    assert web(f"get svc web -o jsonpath='{{.metadata.labels.{kind}}}'") == "yes"


def test_labels_annotations_and_taints(web) -> None:
    assert web("label service web tier=front").strip() == "service/web labeled"
    assert web("annotate service web note=hello").strip() == "service/web annotated"
    assert web("taint node worker-2 k=v:PreferNoSchedule").strip() == "node/worker-2 tainted"
    assert "k=v:PreferNoSchedule" in web("describe node worker-2")


def test_replace_needs_the_version_that_it_read(web) -> None:
    service = json.loads(web("get svc web -o json"))
    web("label service web changed=meanwhile")
    text = web.fails("replace -f -", stdin=json.dumps(service))
    assert "the object has been modified" in text


def test_server_side_apply_and_its_conflicts(kubectl) -> None:
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: ssa}, data: {a: '%s'}}"
    assert "serverside-applied" in kubectl("apply --server-side -f -", stdin=manifest % 1)
    other = "apply --server-side --field-manager=other -f -"
    text = kubectl.fails(other, stdin=manifest % 2)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .data.a' in text
    kubectl(f"{other} --force-conflicts", stdin=manifest % 2)
    assert kubectl("get cm ssa -o jsonpath={.data.a}") == "2"


def test_client_side_apply_can_become_server_side(web) -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: both}, data: {a: '1'}}"
    web("apply -f -", stdin=text)
    assert "serverside-applied" in web("apply --server-side -f -", stdin=text)


def test_diff_says_what_would_change(web) -> None:
    done = web.run("diff -f -", stdin=WEB.replace("replicas: 2", "replicas: 5"))
    assert done.returncode == 1
    assert "+  replicas: 5" in done.stdout


def test_a_dry_run_on_the_server_stores_nothing(kubectl) -> None:
    kubectl("create configmap ghost --dry-run=server")
    assert "NotFound" in kubectl.fails("get cm ghost")


def test_exec_passes_streams_and_the_exit_code(box) -> None:
    done = box.run("exec box -- sh -c 'echo out; echo err >&2; exit 3'")
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert done.stderr == "err\ncommand terminated with exit code 3\n"


def test_exec_passes_the_input(box) -> None:
    assert box("exec -i box -- cat", stdin="one\ntwo\n") == "one\ntwo\n"


def test_a_shell_reads_its_commands_from_the_input(box) -> None:
    script = "x=1\nfor i in 1 2\ndo echo n$i$x\ndone\nexit 4\necho never\n"
    done = box.run("exec -i box -- sh", stdin=script)
    assert (done.returncode, done.stdout) == (4, "n11\nn21\n")


@pytest.mark.skipif(shutil.which("script") is None, reason="needs script(1) for a terminal")
def test_a_shell_on_a_terminal_prompts_and_echoes(box) -> None:
    keys = "(sleep 1; echo hostname; sleep 0.5; echo exit)"
    done = subprocess.run(
        f'{keys} | script -qfc "kubectl exec -it box -- sh" /dev/null',
        shell=True,
        env={**os.environ, **box.environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.split() == ["/", "#", "hostname", "box", "/", "#", "exit"]


def test_a_pod_can_be_run_for_as_long_as_one_looks(kubectl) -> None:
    done = kubectl.run("run -i --rm --restart=Never temp --image=busybox -- sh", stdin="hostname\n")
    assert done.stdout.splitlines() == ["temp", 'pod "temp" deleted from default namespace']
    assert "NotFound" in kubectl.fails("get pod temp")


def test_exec_in_what_is_not_there_is_refused(box) -> None:
    assert "container nope is not valid" in box.fails("exec box -c nope -- ls")
    assert 'pods "nopod" not found' in box.fails("exec nopod -- ls")
    assert "executable file not found" in box.fails("exec box -- nosuch")


def test_logs_are_followed_to_the_end(kubectl) -> None:
    script = "for i in 1 2 3; do echo $i; sleep 1; done"
    kubectl(f"run talk --image=busybox --restart=Never -- sh -c '{script}'")
    kubectl("wait --for=jsonpath='{.status.phase}'=Succeeded pod/talk --timeout=20s")
    assert kubectl("logs -f talk") == "1\n2\n3\n"
    assert kubectl("logs talk --tail=1") == "3\n"


def test_a_watch_shows_what_happens(kubectl) -> None:
    kubectl("create configmap watched")
    watch = "get configmap watched -w --request-timeout=2s -o name"
    done = kubectl.run(f"{watch} & sleep 1; kubectl label cm watched a=b >&2; wait")
    assert done.stdout.count("configmap/watched") >= 2


def test_deleting_waits_until_it_is_gone(kubectl) -> None:
    kubectl("run gone --image=nginx")
    assert kubectl("delete pod gone").strip() == 'pod "gone" deleted from default namespace'
    assert "NotFound" in kubectl.fails("get pod gone")


def test_orphans_stay_and_dependents_go(kubectl) -> None:
    kubectl("create deployment parent --image=nginx")
    kubectl("rollout status deployment/parent --timeout=20s")
    kubectl("delete deployment parent --cascade=orphan")
    (rs,) = kubectl("get rs -l app=parent -o name").split()
    kubectl(f"delete {rs} --cascade=foreground")
    kubectl("wait --for=delete pod -l app=parent --timeout=20s")


def test_drain_respects_a_budget(cluster, kubectl) -> None:
    kubectl("create deployment held --image=nginx --replicas=2")
    kubectl("rollout status deployment/held --timeout=20s")
    text = kubectl("drain worker-1 --ignore-daemonsets --force --delete-emptydir-data")
    assert "node/worker-1 drained" in text
    assert "SchedulingDisabled" in kubectl("get node worker-1")
    assert kubectl("uncordon worker-1").strip() == "node/worker-1 uncordoned"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("get nosuch", 'the server doesn\'t have a resource type "nosuch"'),
        ("get pod nope", 'Error from server (NotFound): pods "nope" not found'),
        ("create namespace default", 'namespaces "default" already exists'),
        ("get --raw /nosuch", "the server could not find the requested resource"),
        ("create configmap Bad_Name", "a lowercase RFC 1123 subdomain"),
        ("delete namespace kube-system", "this namespace may not be deleted"),
    ],
)
def test_errors_are_the_servers_own(kubectl, command, text) -> None:
    assert text in kubectl.fails(command)


def test_a_misspelt_field_is_refused_by_name(kubectl) -> None:
    manifest = WEB.replace("containerPort: 80", "containerPrt: 80")
    text = kubectl.fails("create -f -", stdin=manifest)
    assert 'unknown field "spec.template.spec.containers[0].ports[0].containerPrt"' in text
