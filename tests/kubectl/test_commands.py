"""Commands against an API server: what they change, and what they say."""

from __future__ import annotations

import pytest

from k8slab.client import ConnectionFailed
from k8slab.kubectl.drain import DAEMON_SETS, UNMANAGED, plan
from k8slab.kubectl.magic import register
from tests.kubectl.desk import Desk


@pytest.fixture
def served(desk: Desk, web: str) -> Desk:
    desk.run("apply -f -", web)
    return desk


def test_several_kinds_are_several_tables_with_the_kind_before_each_name(served: Desk) -> None:
    tables = served.run("get deploy,svc").stdout.split("\n\n")
    assert [table.splitlines()[1].split()[0] for table in tables] == [
        "deployment.apps/web",
        "service/web",
    ]


@pytest.mark.parametrize(
    ("command", "stdout"),
    [
        ("get deploy web -o name", "deployment.apps/web\n"),
        ("get deploy -o jsonpath='{.items[*].spec.replicas}'", "3"),
        ("get deploy -o custom-columns=N:.metadata.name --no-headers", "web\n"),
        ("get deploy web -o go-template='{{.spec.replicas}}'", "3"),
        ("get deploy --show-labels --no-headers", "web   0/3   0     0     0s    app=web\n"),
        ("get deploy -L app --no-headers", "web   0/3   0     0     0s    web\n"),
    ],
)
def test_get_prints_in_the_form_that_is_asked_for(served: Desk, command: str, stdout: str) -> None:
    assert served.run(command).stdout == stdout


@pytest.mark.parametrize(
    ("command", "stderr"),
    [
        ("get foo", 'error: the server doesn\'t have a resource type "foo"\n'),
        ("get pods", "No resources found in default namespace.\n"),
        ("get nodes", "No resources found\n"),
        ("get pod x", 'Error from server (NotFound): pods "x" not found\n'),
        ("get deploy web -l a=b", "error: name cannot be provided when a selector is specified\n"),
        (
            "get deploy web -A",
            "error: a resource cannot be retrieved by name across all namespaces\n",
        ),
        ("scale deploy/web", 'error: required flag(s) "replicas" not set\n'),
        ("top pods", "error: Metrics API not available\n"),
        ("exec p", "error: you must specify at least one command for the container\n"),
        ("delete pods", "error: resource(s) were provided, but no name was specified\n"),
        ("run x", 'error: required flag(s) "image" not set\n'),
        (
            "create deployment web --image=x",
            'error: failed to create deployment: deployments.apps "web" already exists\n',
        ),
    ],
)
def test_mistakes_are_answered_as_kubectl_does(served: Desk, command: str, stderr: str) -> None:
    assert served.run(command).stderr == stderr


def test_what_is_found_is_printed_though_something_is_missing(served: Desk) -> None:
    result = served.run("get deploy web x -o name")
    assert result.stdout == "deployment.apps/web\n"
    assert result.stderr == 'Error from server (NotFound): deployments.apps "x" not found\n'
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("command", "stdout", "field", "value"),
    [
        ("scale deploy/web --replicas=5", "deployment.apps/web scaled", ".spec.replicas", "5"),
        (
            "set image deploy/web web=nginx:2",
            "deployment.apps/web image updated",
            ".spec.template.spec.containers[0].image",
            "nginx:2",
        ),
        (
            "set env deploy/web A=b",
            "deployment.apps/web env updated",
            ".spec.template.spec.containers[0].env[0].value",
            "b",
        ),
        ("label deploy web x=y", "deployment.apps/web labeled", ".metadata.labels.x", "y"),
        ("label deploy web app-", "deployment.apps/web unlabeled", ".metadata.labels.app", ""),
        (
            "annotate deploy web n=m",
            "deployment.apps/web annotated",
            ".metadata.annotations.n",
            "m",
        ),
        ("rollout pause deploy/web", "deployment.apps/web paused", ".spec.paused", "true"),
        (
            'patch deploy web -p \'{"spec":{"replicas":7}}\'',
            "deployment.apps/web patched",
            ".spec.replicas",
            "7",
        ),
    ],
)
def test_a_change_is_made_and_told(
    served: Desk, command: str, stdout: str, field: str, value: str
) -> None:
    assert served.run(command).stdout == f"{stdout}\n"
    assert served.run(f"get deploy web -o jsonpath='{{{field}}}'").stdout == value


def test_a_mark_is_changed_only_with_overwrite(served: Desk) -> None:
    refused = served.run("label deploy web app=x")
    assert refused.stderr == "error: 'app' already has a value (web), and --overwrite is false\n"
    assert served.run("label deploy web app=x --overwrite").exit_code == 0


def test_expose_takes_ports_and_selector_from_the_object(served: Desk) -> None:
    served.run("expose deploy web --name=w2")
    spec = served.run("get svc w2 -o jsonpath='{.spec.ports[0].port} {.spec.selector}'").stdout
    assert spec == '80 {"app":"web"}'


def test_expose_takes_the_selector_that_it_is_given(served: Desk) -> None:
    served.run("expose deploy web --name=w2 --selector=app=other,tier=x")
    selector = served.run("get svc w2 -o jsonpath='{.spec.selector}'").stdout
    assert selector == '{"app":"other","tier":"x"}'


def test_a_service_gets_another_selector(served: Desk) -> None:
    assert served.run("set selector svc web x=1,y==2").stdout == "service/web selector updated\n"
    selector = "get svc web -o jsonpath='{.spec.selector}'"
    assert served.run(selector).stdout == '{"x":"1","y":"2"}'
    stale = served.run("set selector svc/web z=3 --resource-version=1")
    assert "(Conflict)" in stale.stderr
    assert served.run(selector).stdout == '{"x":"1","y":"2"}'


def test_the_selector_of_a_file_is_changed_without_a_cluster(desk: Desk, web: str) -> None:
    desk.failure = ConnectionFailed("connection refused")
    service = web.split("---\n")[1]
    command = "set selector --local -f - a=b -o jsonpath='{.spec.selector}'"
    assert desk.run(command, service).stdout == '{"a":"b"}'


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        ("", "one selector is required"),
        ("deploy/web a=b", "setting a selector is only supported for Services"),
        ("svc/web 'a>1'", '"gt" isn\'t supported in label selectors'),
        ("svc/web a!=b", '"!=" is not a valid label selector operator'),
        (
            "svc/web 'a in (c,b),x'",
            "match expression [{a In [b c]} {x Exists []}] not supported on this object",
        ),
        (
            "svc/web 'a in b'",
            'couldn\'t parse the selector string "a in b": unable to parse requirement: found '
            "'b' expected: '('",
        ),
    ],
)
def test_what_a_service_cannot_select_by_is_refused(
    served: Desk, arguments: str, stderr: str
) -> None:
    assert served.run(f"set selector {arguments}").stderr == f"error: {stderr}\n"


def test_delete_waits_until_the_object_is_gone(desk: Desk) -> None:
    desk.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, finalizers: [a.b/c]}}")
    release = 'patch cm c --type=merge -p \'{"metadata":{"finalizers":null}}\''
    desk.sim.after(5, lambda: desk.sim.spawn(desk.kubectl.run(release), "release"), "in 5 s")
    result = desk.run("delete cm c")
    assert result.stdout == 'configmap "c" deleted from default namespace\n'
    assert desk.sim.now > 5
    assert desk.run("get cm c").exit_code == 1


def test_a_watch_prints_changes_and_ends_in_time(desk: Desk, pod: str) -> None:
    desk.sim.after(5, lambda: desk.create(pod), "create a Pod")
    start = desk.sim.now
    assert desk.run("get pods -w", watch=10).stdout.splitlines()[1].startswith("p ")
    assert desk.sim.now - start == pytest.approx(10, abs=0.1)


def test_wait_ends_when_the_field_has_the_value_or_the_time_is_over(served: Desk) -> None:
    assert served.run("wait --for=jsonpath='{.spec.replicas}'=3 deploy/web").stdout == (
        "deployment.apps/web condition met\n"
    )
    late = served.run("wait --for=condition=Available deploy/web --timeout=2s")
    assert late.stderr == "error: timed out waiting for the condition on deployments/web\n"


def test_without_an_api_server_the_connection_is_refused(desk: Desk) -> None:
    refused = "The connection to the server 10.0.0.1:6443 was refused - did you specify the right"
    desk.failure = ConnectionFailed(refused)
    result = desk.run("get pods")
    assert (result.stderr, result.exit_code) == (f"{refused}\n", 1)


def test_a_drain_is_stopped_by_pods_that_would_be_lost(desk: Desk, pod: str) -> None:
    from k8slab.api import load

    lonely = load(pod)
    made = plan([lonely], ignore_daemon_sets=False, force=False, delete_local=False)  # type: ignore[list-item]
    assert list(made.obstacles) == [UNMANAGED]
    assert DAEMON_SETS not in made.obstacles
    assert plan([lonely], ignore_daemon_sets=False, force=True, delete_local=False).evict == (
        lonely,
    )  # type: ignore[list-item]


def test_a_description_ends_with_the_events_of_the_object(desk: Desk, pod: str) -> None:
    desk.create(pod)
    desk.create(
        "{apiVersion: v1, kind: Event, metadata: {name: e}, type: Normal, reason: Why, message: m,"
        " involvedObject: {kind: Pod, namespace: default, name: p}, source: {component: c},"
        " firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z', count: 1}"
    )
    text = desk.run("describe pod p").stdout
    assert text.startswith("Name:             p\n")
    assert text.endswith("  Normal  Why     0s    c     m\n")


def test_explain_names_the_types_of_fields(desk: Desk) -> None:
    text = desk.run("explain deployment.spec.strategy").stdout
    assert "FIELD: strategy <DeploymentStrategy>" in text
    assert "  rollingUpdate\t<RollingUpdateDeployment>\n" in text


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("node.spec.taints", "  effect\t<string> -required-\n  enum: NoExecute, NoSchedule,"),
        ("pod.status", "  enum: Failed, Pending, Running, Succeeded, ....\n"),
        ("pod.spec.volumes.hostPath.type", 'ENUM:\n    ""\n    BlockDevice\n'),
        ("job.spec.completionMode", '\n    Possible enum values:\n     - `"Indexed"`\n'),
        ("deployments.apps.spec", "FIELD: spec <DeploymentSpec>"),
        ("hpa --api-version=autoscaling/v1", "VERSION:    v1\n"),
        ("pod.spec.a.b", 'error: field "b" does not exist'),
        ("hpa --api-version=apps/v1", "GVR (apps/v1, Resource=horizontalpodautoscalers) not found"),
        ("pod --api-version=v2", 'couldn\'t find resource for "/v2, Resource=pods"'),
        ("pod..spec", "error: invalid jsonpath syntax, first node must be field node"),
        ("nope", 'the server doesn\'t have a resource type "nope"'),
        ("pod --output=nope", "error: unrecognized format: nope"),
    ],
)
def test_explain_says_which_words_a_field_takes_and_what_must_be_there(
    desk: Desk, path: str, line: str
) -> None:
    assert line in desk.run(f"explain {path}").output


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("run p --image=x --expose", "--port must be set when exposing a service"),
        ("rollout undo", "required resource not specified"),
        ("rollout status", "required resource not specified"),
        ("delete cm --all -l a=b", "setting 'all' parameter but found a non empty selector. "),
        ("edit cm x -o nope", "unable to match a printer suitable for the output format"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    desk: Desk, command: str, problem: str
) -> None:
    assert desk.run(command).stderr.startswith(f"error: {problem}")
    assert desk.run("get all,cm").stderr.startswith("No resources found")


def test_a_cell_of_yaml_is_applied(
    desk: Desk, pod: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class Shell:
        def register_magic_function(self, function: object, **_: str) -> None:
            self.kubectl = function

    class Cluster:
        def kubectl(self, command: str, stdin: str = "") -> str:
            return desk.run(command, stdin).output

    shell = Shell()
    register(shell, Cluster())
    shell.kubectl("", pod)  # type: ignore[operator]
    assert capsys.readouterr().out == "pod/p created\n"


def test_a_mirror_pods_events_are_those_of_its_static_pod(desk: Desk) -> None:
    desk.run(
        "apply -f -",
        """
apiVersion: v1
kind: Pod
metadata: {name: st, annotations: {kubernetes.io/config.mirror: abc}}
spec: {nodeName: n1, containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Event
metadata: {name: st.1}
involvedObject: {kind: Pod, name: st, namespace: default, uid: abc}
reason: Started
message: Container started
type: Normal
""",
    )
    assert "Container started" in desk.run("describe pod st").stdout
