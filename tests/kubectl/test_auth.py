"""`kubectl auth`, `create token`, and acting as somebody else: in kubectl's own words."""

from __future__ import annotations

import pytest

from k8slab.kubectl import Kubectl
from tests.control_plane.apiserver.access.conftest import Guarded, rule, user
from tests.kubectl.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """kubectl of somebody who may do everything, in front of a server that asks for roles."""
    desk, guarded = Desk(), Guarded()
    desk.sim, desk.server = guarded.sim, guarded.server
    desk.kubectl = Kubectl(
        desk, lambda: desk.sim.now, sleep=desk.sim.sleep, user="kubernetes-super-admin"
    )
    guarded.role("reader", rule("get list", "pods"))
    guarded.bind("Role/reader", user("alice"))
    return desk


@pytest.mark.parametrize(
    ("command", "stdout", "stderr", "code"),
    [
        ("list pods --as alice", "yes\n", "", 0),
        ("delete pods/web --as alice", "no\n", "", 1),
        ("get /version --as alice", "yes\n", "", 0),
        ("get pods -q --as alice", "", "", 0),
        ("get po -A --as alice", "no\n", "", 1),
        ("list nodes", "yes\n", "Warning: resource 'nodes' is not namespace scoped\n\n", 0),
        (
            "foo foos.bar",
            "yes\n",
            "Warning: the server doesn't have a resource type 'foos' in group 'bar'\n\n"
            "Warning: verb 'foo' is not a known verb\n\n",
            0,
        ),
        ("list pods --no-headers", "", "error: --no-headers cannot be set without --list speci", 1),
        ("list", "", "error: you must specify two arguments: verb resource or verb resource/re", 1),
        ("--list -A", "", "error: list option can't be specified with neither quiet, all-names", 1),
    ],
)
def test_can_i(desk: Desk, command: str, stdout: str, stderr: str, code: int) -> None:
    found = desk.run(f"auth can-i {command}")
    assert (found.stdout, found.exit_code) == (stdout, code)
    assert found.stderr.startswith(stderr)
    assert bool(found.stderr) == bool(stderr)


def test_can_i_list_shows_each_right_once(desk: Desk) -> None:
    found = desk.run("auth can-i --list --as alice").stdout.splitlines()
    assert found[0].split("  ")[0] == "Resources"
    assert found[1].split() == ["selfsubjectreviews.authentication.k8s.io", "[]", "[]", "[create]"]
    assert found[4].split("  ")[0] == "pods"
    assert found[4].endswith("[get list]")
    assert sum("[/healthz]" in line for line in found) == 2  # by two roles


def test_whoami_is_answered_by_the_server(desk: Desk) -> None:
    assert desk.run("auth whoami --as bob --as-group devs").stdout == (
        "ATTRIBUTE   VALUE\nUsername    bob\nGroups      [devs system:authenticated]\n"
    )
    found = desk.run("auth whoami --as bob -o jsonpath={.status.userInfo.username}")
    assert found.stdout == "bob"


def test_commands_are_refused_as_upstream_says(desk: Desk) -> None:
    assert desk.run("get nodes --as alice").stderr == (
        'Error from server (Forbidden): nodes is forbidden: User "alice" cannot list resource '
        '"nodes" in API group "" at the cluster scope\n'
    )


def test_groups_alone_cannot_be_assumed(desk: Desk) -> None:
    assert desk.run("get pods --as-group devs").stderr == (
        "error: requesting uid, groups or user-extra for kubernetes-super-admin without "
        "impersonating a user\n"
    )


def test_a_token_can_be_made_and_used(desk: Desk) -> None:
    token = desk.run("create token default").stdout.strip()
    found = desk.run(f"get pods --token {token}")
    assert 'User "system:serviceaccount:default:default" cannot list' in found.stderr
    assert desk.run("get pods --token nonsense").stderr == (
        "error: You must be logged in to the server (Unauthorized)\n"
    )


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("nobody", 'failed to create token: serviceaccounts "nobody" not found'),
        ("default --duration 5s", "may not specify a duration less than 10 minutes"),
        ("default --duration=-5s", "--duration must be greater than or equal to 0"),
        ("default --bound-object-kind Foo", "supported --bound-object-kind values are Node, Pod"),
        ("default --bound-object-kind Pod", "--bound-object-name is required if --bound-object"),
        ("default --bound-object-uid x", "--bound-object-uid can only be set if --bound-object"),
    ],
)
def test_a_token_that_cannot_be_made(desk: Desk, command: str, text: str) -> None:
    found = desk.run(f"create token {command}")
    assert found.exit_code == 1
    assert found.stderr.startswith("error: ")
    assert text in found.stderr
