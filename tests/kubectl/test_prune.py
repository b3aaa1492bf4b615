"""Pruning: what was applied once and stands in no file any more goes."""

from __future__ import annotations

import pytest

from tests.kubectl.desk import Desk

ONE = "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {}, labels: {{app: web}}}}}}"


def names(desk: Desk) -> list[str]:
    return desk.run("get cm -o name").stdout.split()


def test_what_was_applied_and_is_in_no_file_any_more_goes(desk: Desk) -> None:
    desk.run("apply -f -", ONE.format("old"))
    desk.run("create -f -", ONE.format("made"))  # never applied, so it stays
    done = desk.run("apply -f - --prune -l app=web", ONE.format("new")).stdout
    assert done == "configmap/new created\nconfigmap/old pruned\n"
    assert names(desk) == ["configmap/made", "configmap/new"]


def test_a_dry_run_prunes_nothing(desk: Desk) -> None:
    desk.run("apply -f -", ONE.format("old"))
    done = desk.run("apply -f - --prune --all --dry-run=client", ONE.format("new")).stdout
    assert done == "configmap/new created (dry run)\nconfigmap/old pruned (dry run)\n"
    assert names(desk) == ["configmap/old"]


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ("--prune", "all resources selected for prune without explicitly passing --all."),
        ("--prune --all -l a=b", "cannot set --all and --selector at the same time"),
        ("--prune --all --prune-allowlist=v1/Pod", "invalid GroupVersionKind format: v1/Pod,"),
        ("--force-conflicts", "--force-conflicts only works with --server-side"),
        ("--server-side --dry-run=client", "--dry-run=client doesn't work with --server-side"),
        ("--server-side --force", "--force cannot be used with --server-side"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(desk: Desk, flags: str, problem: str) -> None:
    refused = desk.run(f"apply -f - {flags}", ONE.format("new")).stderr
    assert refused.startswith(f"error: {problem}")
    assert names(desk) == []
