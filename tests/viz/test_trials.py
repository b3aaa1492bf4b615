"""What all widgets with a prediction have in common, each on a real cluster."""

import json

import ipywidgets
import pytest

from k8slab import Cluster, viz
from k8slab.viz.widgets.trial import Trial
from k8slab.viz.widgets.widget import VIEW

NAMES = (
    *("watch_stream", "resolver_trace", "pod_scope", "scheduling_board", "steps", "light_up"),
    *("reconcile_stepper", "rule_debugger", "packet_card", "load_generator", "slice_workbench"),
    *("scale_lens", "rollout_dials"),
)


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    lab = Cluster(workers=2, seed=5)
    lab.kubectl("create deployment web --image=nginx --replicas=2")
    lab.kubectl("expose deployment web --port=80")
    lab.run(10)
    return lab


@pytest.fixture(params=NAMES)
def trial(request, cluster) -> Trial:
    return getattr(viz, request.param)(cluster)


def test_it_is_made_of_the_cluster_alone_and_asks(trial) -> None:
    assert isinstance(trial, Trial)
    assert trial.QUESTION.endswith("?")
    assert trial.text.endswith(trial.QUESTION)


def test_nothing_is_tried_without_a_guess(trial, cluster) -> None:
    before = len(cluster.trace)
    assert trial.guess().startswith("Predict first:")
    assert len(cluster.trace) == before


def test_the_output_holds_live_view_picture_and_words(trial) -> None:
    data, metadata = trial._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain", VIEW}
    assert data["image/png"].startswith(b"\x89PNG")
    assert len(metadata["image/png"]["alt"]) > 10


def test_every_control_says_what_it_is(trial) -> None:
    controls, found = [trial.box], []
    while controls:
        control = controls.pop()
        controls += getattr(control, "children", ())
        if not isinstance(control, ipywidgets.Box | ipywidgets.HTML):
            found.append(control.description)
    assert all(found)


def test_a_dial_that_is_not_there_is_told(trial) -> None:
    with pytest.raises(ValueError, match="no dial 'nonsense'"):
        trial.turn(nonsense="1")


def test_an_option_that_is_not_there_is_told(trial) -> None:
    for name, dial in trial.dials.items():
        if dial.options:
            with pytest.raises(ValueError, match=f"{name} is one of"):
                trial.turn(**{name: "nonsense"})


def test_its_player_is_small_and_whole(trial, tmp_path) -> None:
    path = trial.export_html(tmp_path / "x.html")
    assert 4_000 < path.stat().st_size < 1_000_000
    html = path.read_text("utf-8")
    assert json.loads(html.partition('application/json">')[2].partition("</script>")[0])["frames"]
