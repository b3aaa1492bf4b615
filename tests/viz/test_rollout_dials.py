"""The rollout dials: what is typed, what came of it, and what the guesses were worth."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.viz import rollout_dials
from tests.viz.legibility import faults

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: nginx:1.27
        readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 3, periodSeconds: 1}
"""


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=2, seed=5)
    made.apply(DEPLOYMENT)
    made.run(20)
    return made


@pytest.fixture
def dials(cluster: Any) -> Any:
    return rollout_dials(cluster, "deployment/web")


@pytest.mark.parametrize(
    ("turned", "most", "least", "end"),
    [
        ({}, "5", "3", "ends"),
        ({"surge": "2", "unavailable": "0"}, "6", "4", "ends"),
        ({"surge": "0", "unavailable": "1"}, "4", "3", "ends"),
        ({"surge": "100%", "unavailable": "0"}, "8", "4", "ends"),
        ({"strategy": "Recreate"}, "4", "0", "ends"),
        ({"surge": "1", "unavailable": "0", "version": "has no image"}, "5", "4", "never ends"),
    ],
)
def test_a_rollout_takes_and_leaves_as_much_as_its_budget_says(
    dials: Any, turned: dict[str, str], most: str, least: str, end: str
) -> None:
    dials.turn(**turned)
    said = dials.guess(most=most, least=least, end=end)
    assert said.startswith(
        f"Pods at most: right, {most}. ready at least: right, {least}. It: right, {end}."
    )


def test_a_wrong_guess_hears_what_is_so_and_how_the_budget_is_rounded(dials: Any) -> None:
    said = dials.guess(most="4", least="4", end="ends")
    assert "you said 4, it is 5" in said
    assert "rounded up" in said
    assert "rounded down" in said


def test_a_budget_of_nothing_is_refused_in_the_words_of_the_api_server(dials: Any) -> None:
    dials.turn(surge="0", unavailable="0")
    said = dials.guess(most="4", least="4", end="never ends")
    assert "may not be 0 when `maxSurge` is 0" in said


def test_a_try_changes_nothing_in_the_cluster(dials: Any, cluster: Any) -> None:
    before = cluster.now, cluster.view.get(Deployment, "web")
    dials.guess(most="5", least="3", end="ends")
    assert before == (cluster.now, cluster.view.get(Deployment, "web"))


def test_what_is_typed_stands_there_before(dials: Any) -> None:
    dials.turn(surge="50%", unavailable="0", version="has no image")
    assert dials.preview().splitlines() == [
        "kubectl patch deployment web -p '{\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\","
        "\"rollingUpdate\":{\"maxSurge\":\"50%\",\"maxUnavailable\":0}}}}'",
        "kubectl set image deployment/web web=nginx:9.99",
    ]  # fmt: skip


def test_nothing_is_rolled_out_before_the_prediction(dials: Any) -> None:
    assert "Predict first" in dials.guess(most="5")
    assert dials.text.startswith("Rollout of deployment/web")


def test_the_areas_of_a_try_can_be_read(dials: Any) -> None:
    dials.turn(surge="2", unavailable="0")
    dials.guess(most="6", least="4", end="ends")
    assert faults(dials.figure().drawing, (1.0,)) == []


def test_a_deployment_that_is_not_there_is_named(cluster: Any) -> None:
    with pytest.raises(ValueError, match="no deployment/none in namespace default: there are web"):
        rollout_dials(cluster, "deployment/none")
