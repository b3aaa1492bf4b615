"""Players: one file with pictures, captions and words, which needs nothing else."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.sim import Simulation
from k8slab.viz import event_lane, explorer, player, steps, time_bar
from k8slab.viz.drawing import Drawing, Text
from k8slab.viz.figure import Figure
from k8slab.viz.player import Frame, moments, page


def figure(words: str, text: str = "") -> Figure:
    items = (Text(x=0, y=0, text="always there"), Text(x=0, y=20, text=words))
    return Figure(Drawing(100, 50, items), alt=words, text=text or f"first line\n{words}")


def data_of(html: str) -> dict:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.S)
    return json.loads(found[1])


def pictures(html: str) -> list[str]:
    data = data_of(html)
    return ["".join(data["parts"][n] for n in frame["parts"]) for frame in data["frames"]]


def test_each_frame_is_the_figure_with_its_caption_and_words() -> None:
    frames = [Frame(f"caption {n}", figure(f"picture {n}")) for n in range(3)]
    html = page("A run", frames)
    assert pictures(html) == [frame.figure.svg() for frame in frames]
    data = data_of(html)
    assert [frame["caption"] for frame in data["frames"]] == ["caption 0", "caption 1", "caption 2"]
    words = ["\n".join(data["lines"][n] for n in frame["lines"]) for frame in data["frames"]]
    assert words == [frame.figure.text for frame in frames]


def test_what_frames_have_in_common_is_stored_once() -> None:
    html = page("A run", [Frame("", figure(f"picture {n}")) for n in range(50)])
    data = data_of(html)
    assert sum("always there" in part for part in data["parts"]) == 1
    assert data["lines"].count("first line") == 1


@given(st.text(min_size=1).filter(str.strip))
def test_no_text_can_end_the_script_or_add_markup(text) -> None:
    nasty = f"</script><img src=x onerror=alert(1)> {text}"
    html = page(nasty, [Frame(nasty, figure(nasty, nasty))])
    assert data_of(html)["frames"][0]["caption"] == nasty
    assert "<img" not in html.replace(re.search(r'id="data".*?</script>', html, re.S)[0], "")


def test_without_scripts_the_last_frame_stands_there() -> None:
    html = page("A run", [Frame("first", figure("one")), Frame("last", figure("two"))])
    body = html.partition('<script id="data"')[0]
    assert "last</p>" in body
    assert figure("two").svg() in body
    assert "2 of 2" in body


def test_nothing_is_fetched() -> None:
    html = page("A run", [Frame("", figure("one"))])
    addresses = set(re.findall(r"https?://[\w./-]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link|<script src|@import|url\(|fetch\(", html)


def test_a_file_that_would_be_too_large_leaves_frames_out(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(player, "MOST_BYTES", 12_000)
    frames = [Frame(f"caption {n}", figure(f"picture {n} " * 20)) for n in range(60)]
    path = player.export(tmp_path / "x.html", "A run", frames)
    captions = [f["caption"] for f in data_of(path.read_text("utf-8"))["frames"]]
    assert path.stat().st_size <= 12_000
    assert captions[-1] == "caption 59"
    assert 1 < len(captions) < 60


def test_moments_are_spread_and_end_with_the_last() -> None:
    sim = Simulation(0)
    for number in range(100):
        sim.now = number // 2
        sim.trace.add("you", "create", f"Pod/{number}")
    assert moments(sim.trace, 0, 100, most=200) == list(range(2, 101, 2))
    few = moments(sim.trace, 0, 99, most=5)
    assert few[0] == 2
    assert few[-1] == 99
    assert few == sorted(set(few))


def test_another_ending_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"saved as \.html, got 'x.png'"):
        figure("one").export_html(tmp_path / "x.png")


# -- on a cluster


@pytest.fixture(scope="module")
def cluster():
    return Cluster(workers=2, seed=5)


def test_a_map_replays_the_trace(cluster, tmp_path) -> None:
    path = cluster.map(since=len(cluster.trace) - 30).export_html(tmp_path / "map.html")
    html = path.read_text("utf-8")
    assert len(data_of(html)["frames"]) > 5
    assert pictures(html)[-1].count("<rect") > 10
    assert path.stat().st_size < 1_000_000


def test_the_explorer_replays_what_happened_since_it_was_made(cluster, tmp_path) -> None:
    live, began = explorer(cluster), cluster.now
    cluster.kubectl("create deployment web --image=nginx --replicas=3")
    cluster.run(5)
    live.back()
    past = live.clockwork.past
    frames = data_of(live.export_html(tmp_path / "run.html").read_text("utf-8"))["frames"]
    times = [float(frame["caption"].partition(" s:")[0]) for frame in frames]
    assert times == sorted(times)
    assert began < times[0] + 0.001
    assert times[0] < times[-1] <= cluster.now
    assert live.clockwork.past == past


def test_a_trial_replays_what_was_said(cluster, tmp_path) -> None:
    live = steps(cluster, command="run x --image=nginx", what="pod/x")
    live.guess()
    said = [live.guess(who="you") for _ in range(3)]
    frames = data_of(live.export_html(tmp_path / "x.html").read_text("utf-8"))["frames"]
    assert [frame["caption"] for frame in frames][1:] == said
    cluster.run(1)


def test_the_lanes_of_a_pod_grow_deed_by_deed(cluster, tmp_path) -> None:
    cluster.kubectl("run y --image=nginx")
    cluster.run(5)
    figure = event_lane(cluster, "pod/y")
    html = figure.export_html(tmp_path / "y.html").read_text("utf-8")
    assert len(data_of(html)["frames"]) > 8
    assert pictures(html)[-1] == figure.svg()
    assert "created it" in data_of(html)["frames"][0]["caption"]


def test_a_figure_without_a_past_is_one_frame(tmp_path) -> None:
    html = figure("one").export_html(tmp_path / "x.html").read_text("utf-8")
    assert len(data_of(html)["frames"]) == 1


def test_a_bar_where_nothing_happened_since_shows_all_before(cluster) -> None:
    assert len(time_bar(cluster).frames()) > 50
