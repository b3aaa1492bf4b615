"""The rollout dials: surge and unavailable, a prediction, and the areas of the rollout they allow.

    rollout_dials(cluster, "deployment/web")

Set how many Pods may be above and below the wanted number, and what the new version is like;
predict the most Pods, the fewest that are ready, and whether it ends. The rollout is then really
done, in a fork of the cluster: every try begins with what there is now, and changes nothing here.

Rule of use: the Deployment is at rest when the dials are made.

Upstream: none (kubectl rollout status tells how far it is)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from k8slab.api.apps import Deployment
from k8slab.api.rollouts import deployment_complete, desired, max_surge, max_unavailable
from k8slab.viz.facts import ViewLike
from k8slab.viz.figure import Figure
from k8slab.viz.rollout import Count, read, rollout_areas
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

SECONDS = 120.0  # virtual, of a try that does not end
STEP = 2.0  # virtual seconds between two looks whether it has ended
ROLLING, RECREATE = "RollingUpdate", "Recreate"
BUDGETS = ("0", "1", "2", "25%", "50%", "100%")
WELL, NEVER = "starts well", "has no image"
ENDS, STUCK = "ends", "never ends"
MISSING = "9.99"  # a tag that is in no registry


class Imaged(Drivable, Protocol):
    """A cluster whose registries a learner may break."""

    def break_image(self, image: str) -> None:
        """Let this tag not exist in its registry."""


def rollout_dials(cluster: Imaged, deployment: str = "") -> RolloutDials:
    """Return the dials of "deployment/NAME", by default the first one in namespace default.

    Raises ValueError if there is none.
    """
    own = [one.metadata.name for one in cluster.view.list(Deployment, "default")]
    name = deployment.rpartition("/")[2] or next(iter(own), "")
    if name not in own:
        known = f": there are {', '.join(own)}" if own else "; create one first"
        raise ValueError(f"no deployment/{name} in namespace default{known}")
    return RolloutDials(cluster, name)


class RolloutDials(Trial):
    """The budget of a rollout, and its areas."""

    QUESTION = "How many Pods at most, how few are ready, and does it end?"
    GO = "Roll out"

    def __init__(self, cluster: Imaged, name: str) -> None:
        self.cluster = cluster
        self.name = name
        wanted = desired(_deployment(cluster.view, name))
        numbers = tuple(map(str, range(2 * wanted + 3)))
        super().__init__(
            (
                Dial(name="strategy", words="strategy", options=(ROLLING, RECREATE), width="210px"),
                Dial(name="surge", words="maxSurge", options=BUDGETS, value="25%", width="150px"),
                Dial(name="unavailable", words="maxUnavailable", options=BUDGETS, value="25%",
                     width="190px"),
                Dial(name="version", words="the new version", options=(WELL, NEVER), width="240px"),
            ),
            (
                Dial(name="most", words="Pods at most", options=numbers, width="190px"),
                Dial(name="least", words="ready at least", options=numbers[: wanted + 1],
                     width="200px"),
                Dial(name="end", words="It", options=(ENDS, STUCK), width="140px"),
            ),
        )  # fmt: skip
        self._tried: Any = None  # the fork of the last try
        self._since = 0.0

    def commands(self) -> tuple[str, str]:
        """Return what is typed: the strategy, then the new version."""
        return self._strategy(), self._change()

    def _strategy(self) -> str:
        if self.values["strategy"] == RECREATE:
            change = '{"strategy":{"type":"Recreate","rollingUpdate":null}}'
        else:
            surge, unavailable = (_value(self.values[key]) for key in ("surge", "unavailable"))
            budget = f'{{"maxSurge":{surge},"maxUnavailable":{unavailable}}}'
            change = f'{{"strategy":{{"type":"RollingUpdate","rollingUpdate":{budget}}}}}'
        return f"patch deployment {self.name} -p '{{\"spec\":{change}}}'"

    def _change(self) -> str:
        if self.values["version"] == WELL:
            return f"set env deployment/{self.name} VERSION=next"
        container = _deployment(self.cluster.view, self.name).spec.template.spec.containers[0]
        return f"set image deployment/{self.name} {container.name}={_missing(container.image)}"

    def preview(self) -> str:
        """Return the commands that the dials stand for."""
        return "\n".join(f"kubectl {command}" for command in self.commands())

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Roll out in a fork until it ends or the time is over, and compare."""
        strategy, change = self.commands()
        fork = self.cluster.fork()
        said = fork.kubectl(strategy)
        if "patched" not in said:
            raise ValueError(said.strip())
        image = _deployment(fork.view, self.name).spec.template.spec.containers[0].image
        fork.break_image(_missing(image))
        fork.run(STEP)
        self._tried, self._since = fork, fork.now
        fork.kubectl(change)
        fork.run(STEP)
        while not _done(fork, self.name) and fork.now < self._since + SECONDS:
            fork.run(STEP)
        found = _deployment(fork.view, self.name)
        counts = read(fork, found, (self._since, fork.now))
        return judge(guesses, found, counts, ended=_done(fork, self.name))

    def draw(self) -> Figure:
        """Draw the areas of the last try; before the first, of the last rollout here."""
        if self._tried is None:
            return rollout_areas(self.cluster, self.name)
        return rollout_areas(self._tried, self.name, since=self._since)


def judge(
    guesses: Mapping[str, str], deployment: Deployment, counts: list[Count], *, ended: bool
) -> str:
    """Say how the guesses came out, and what the budget was."""
    most, least = max(c.all for c in counts), min(c.ready for c in counts)
    found = {"most": str(most), "least": str(least), "end": ENDS if ended else STUCK}
    words = {"most": "Pods at most", "least": "ready at least", "end": "It"}
    said = [
        f"{words[key]}: right, {value}."
        if guesses[key] == value
        else f"{words[key]}: you said {guesses[key]}, it is {value}."
        for key, value in found.items()
    ]
    last = counts[-1].time - counts[0].time
    how = f"It took {last:.0f} s." if ended else f"After {SECONDS:g} s it still waits."
    return f"{' '.join(said)}\n{budget(deployment)} {how}"


def budget(deployment: Deployment) -> str:
    """Return what the strategy allows, in words."""
    if deployment.spec.strategy.type == RECREATE:
        return "Recreate: first all old Pods go, then the new ones come."
    wanted = desired(deployment)
    surge, missing = max_surge(deployment), max_unavailable(deployment)
    return (
        f"Of {wanted}, the surge allows {surge} more (a percentage is rounded up), and {missing} "
        "may be missing (rounded down; 1 if both are 0)."
    )


def _deployment(view: ViewLike, name: str) -> Deployment:
    found: Deployment = view.get(Deployment, name)
    return found


def _done(cluster: Any, name: str) -> bool:
    found = _deployment(cluster.view, name)
    return deployment_complete(found, found.status)


def _missing(image: str) -> str:
    return f"{image.partition(':')[0]}:{MISSING}"


def _value(text: str) -> str:
    """Return a budget as JSON: a number, or a percentage in quotes."""
    return text if text.isdecimal() else f'"{text}"'
