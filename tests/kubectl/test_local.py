from __future__ import annotations

import pytest

from k8slab.api.go_json import complaint
from k8slab.kubectl.diff import masked, unified
from k8slab.kubectl.edit import run_editor
from tests.kubectl.desk import POD, WEB, Desk


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.create(WEB)
    desk.files["web.yaml"] = WEB
    desk.files["pod.yaml"] = POD
    return desk


def test_local_changes_the_file_and_not_the_cluster(desk) -> None:
    printed = desk.run("label --local -f pod.yaml a=b -o jsonpath={.metadata.labels.a}")
    assert printed.stdout == "b"
    assert "NotFound" in desk.run("get pod p").stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("label --local a=b", "one or more files must be specified as -f pod.yaml or"),
        ("label --local pod p a=b", "can only use local files by -f pod.yaml or"),
        ("annotate --local pod p a=b", "can only use local files by -f rsrc.yaml or"),
        ("patch pod p --local -p {}", "cannot specify --local and server resources"),
        ("set image deploy/web --local a=b", "you must specify resources by --filename when"),
    ],
)
def test_local_needs_files(desk, command, words) -> None:
    assert desk.run(command).stderr.startswith(f"error: {words}")


def test_a_dry_run_of_the_client_prints_what_would_be(desk) -> None:
    command = "set image deploy/web web=nginx:2 --dry-run=client -o"
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    assert desk.run(f"{command} {path}").stdout == "nginx:2"
    assert desk.run(f"get deploy web -o {path}").stdout == "nginx:1.25"


def test_diff_says_what_an_apply_would_change(desk) -> None:
    desk.run("apply -f web.yaml")
    changed = desk.run("diff -f -", WEB.replace("replicas: 3", "replicas: 5"))
    assert changed.exit_code == 1
    assert "+  replicas: 5" in changed.stdout
    assert desk.run("get deploy web -o jsonpath={.spec.replicas}").stdout == "3"


def test_diff_of_what_is_the_same_is_empty(desk) -> None:
    desk.run("apply -f web.yaml")
    same = desk.run("diff -f web.yaml")
    assert (same.stdout, same.exit_code) == ("", 0)


def test_errors_of_a_diff_are_above_one(desk) -> None:
    assert desk.run("diff -f nope.yaml").exit_code == 2


def test_a_diff_of_secrets_shows_no_values() -> None:
    live, merged = masked({"data": {"a": "x", "b": "y"}}, {"data": {"a": "z", "b": "y"}})
    assert live["data"] == {"a": "*** (before)", "b": "***"}
    assert merged["data"] == {"a": "*** (after)", "b": "***"}


def test_equal_texts_have_no_diff() -> None:
    assert unified("v1.Pod.default.p", "a: 1\n", "a: 1\n", 0.0) == ""


def test_edit_takes_the_object_from_stdin(desk) -> None:
    text = desk.run("get svc web -o yaml").stdout.replace("app: web", "app: shop")
    assert desk.run("edit svc web", text).stdout == "service/web edited\n"
    assert desk.run("get svc web -o jsonpath={.spec.selector.app}").stdout == "shop"


def test_edit_runs_sed(desk) -> None:
    done = desk.run('KUBE_EDITOR="sed -i s/nginx:1.25/nginx:1.27/" kubectl edit deploy/web')
    assert done.stdout == "deployment.apps/web edited\n"
    path = "{.spec.template.spec.containers[0].image}"
    assert desk.run(f"get deploy web -o jsonpath={path}").stdout == "nginx:1.27"


def test_an_edit_that_changes_nothing_is_cancelled(desk) -> None:
    done = desk.run('KUBE_EDITOR="true" kubectl edit deploy/web')
    assert done.stderr == "Edit cancelled, no changes made.\n"


def test_other_editors_are_refused(desk) -> None:
    assert "the lab opens no editor" in desk.run("edit deploy/web").stderr
    assert run_editor("sed -i s/a/b/g", "aa") == "bb"


def test_debug_adds_an_ephemeral_container(desk) -> None:
    desk.create(POD)
    desk.run("debug p --image=busybox -c dbg -- sleep 1")
    path = "{.spec.ephemeralContainers[0].name}"
    assert desk.run(f"get pod p -o jsonpath={path}").stdout == "dbg"


def test_variables_come_from_a_config_map(desk) -> None:
    desk.run("create configmap conf --from-literal=mode=prod")
    done = desk.run("set env deploy/web --from=configmap/conf --prefix=APP_")
    assert done.stderr == "Warning: key mode transferred to MODE\n"
    listed = desk.run("set env deploy/web --list").stdout
    assert "# APP_MODE from configmap conf, key mode" in listed


def test_subjects_are_added_once(desk) -> None:
    desk.run("create rolebinding rb --role=r --user=ann")
    assert desk.run("set subject rolebinding rb --user=ann").output == ""
    assert "subjects updated" in desk.run("set subject rolebinding rb --group=us").stdout


def test_metrics_that_nobody_serves_are_not_available(desk) -> None:
    assert desk.run("top pods").stderr == "error: Metrics API not available\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a": 1', "unexpected end of JSON input"),
        ("{a: 1}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a": 1} x', "invalid character 'x' after top-level value"),
        ("[1 2]", "invalid character '2' after array element"),
        ("nil", "invalid character 'i' in literal null (expecting 'u')"),
        ('{"a": 1}', ""),
    ],
)
def test_bad_json_is_refused_in_gos_words(text, wanted) -> None:
    assert complaint(text) == wanted
