"""Command lines are read as kubectl reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.kubectl.command_line import Flag, duration, flag_on, parse
from k8slab.kubectl.commands import find
from k8slab.kubectl.errors import CommandError, UsageError
from tests.kubectl.desk import Desk

FLAGS = (Flag("output", "o"), flag_on("watch", "w"), Flag("replicas", "", "int", "1"))


@pytest.mark.parametrize(
    "words",
    [
        "pods -o wide -w",
        "-o=wide pods -w",
        "-owide pods --watch",
        "-wo wide pods",
        "--output=wide -w pods",
    ],
)
def test_flags_may_stand_anywhere_and_be_written_in_many_ways(words: str) -> None:
    parsed = parse(words.split(), FLAGS, "get")
    assert (parsed.words, parsed.text("output"), parsed.on("watch")) == (("pods",), "wide", True)


def test_what_follows_two_dashes_belongs_to_the_container() -> None:
    parsed = parse(["web", "-w", "--", "ls", "-l", "--", "-w"], FLAGS, "exec")
    assert parsed.words == ("web", "ls", "-l", "--", "-w")
    assert parsed.dash == 1


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--foo", "unknown flag: --foo"),
        ("-wz", "unknown shorthand flag: 'z' in -wz"),
        ("--output", "flag needs an argument: --output"),
        ("-o", "flag needs an argument: 'o' in -o"),
        (
            "--replicas=a",
            'invalid argument "a" for "--replicas" flag: strconv.ParseInt: parsing "a": invalid '
            "syntax",
        ),
    ],
)
def test_a_wrong_flag_is_refused_in_the_words_of_kubectl(word: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse([word], FLAGS, "get")
    assert caught.value.message == f"{message}\nSee 'kubectl get --help' for usage."


@pytest.mark.parametrize(
    ("words", "path", "rest"),
    [
        ("get pods", "get", "pods"),
        ("-n x get pods", "get", "-n x pods"),
        ("create -n x cm c", "create configmap", "-n x c"),
        ("create -f namespace", "create", "-f namespace"),
        ("rollout status deploy/web", "rollout status", "deploy/web"),
        ("create secret generic s", "create secret generic", "s"),
    ],
)
def test_a_command_is_found_behind_flags(words: str, path: str, rest: str) -> None:
    found, _, others = find(words.split())
    assert (found.replace("create cm", "create configmap"), " ".join(others)) == (path, rest)


def test_an_unknown_command_gets_a_suggestion() -> None:
    with pytest.raises(CommandError) as caught:
        find(["gett"])
    assert caught.value.message == (
        'unknown command "gett" for "kubectl"\n\nDid you mean this?\n\tset\n\tget'
    )


@given(st.integers(0, 59), st.integers(0, 59), st.integers(0, 100))
def test_a_duration_is_the_sum_of_its_parts(seconds: int, minutes: int, hours: int) -> None:
    assert duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


def test_a_number_without_a_unit_is_no_duration() -> None:
    with pytest.raises(ValueError, match='missing unit in duration "5"'):
        duration("5")


@pytest.mark.parametrize(
    ("words", "line", "code"),
    [
        ("set", "  image            Update the image of a pod template\n", 1),
        ("rollout", 'Use "kubectl rollout <command> --help" for more information', 1),
        ("create service", "Aliases:\nservice, svc\n", 1),
        ("rollout -h", "  undo          Undo a previous rollout\n", 0),
        ("help rollout undo", "  kubectl rollout undo [flags] [options]\n", 0),
        ("help nope", "Unknown help topic [`nope`]\n", 0),
        ("-n other", "kubectl controls the Kubernetes cluster manager.\n", 0),
        ("-n", "error: flag needs an argument: 'n' in -n\nSee 'kubectl --help' for usage.\n", 1),
    ],
)
def test_help_is_given_of_all_of_a_group_and_of_a_command(
    desk: Desk, words: str, line: str, code: int
) -> None:
    result = desk.run(words)
    assert line in result.output
    assert result.exit_code == code


def test_the_namespace_of_the_context_is_remembered(desk: Desk) -> None:
    desk.create("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
    done = desk.run("config set-context --current --namespace=shop")
    assert done.stdout == 'Context "kubernetes-admin@kubernetes" modified.\n'
    desk.run("create cm here --from-literal=a=b")
    assert desk.run("get cm here -n shop -o name").stdout == "configmap/here\n"
    assert "shop" in desk.run("config get-contexts").stdout
    refused = desk.run("config use-context nope").stderr
    assert refused == 'error: no context exists with the name: "nope"\n'
