"""Every widget in a real JupyterLab, worked by mouse and by keyboard: its picture changes."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.browser import jupyterlab
from tools import chromium, lab, notebook_files

pytestmark = [
    pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium on this machine"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

WEB = """
from k8slab import Cluster
from k8slab import viz
from k8slab.viz import explorer, label_magnet


def fresh():
    return Cluster(workers=2, seed=7)


WEB = '''
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
'''


def shop():
    made = fresh()
    made.apply(WEB)
    made.run(10)
    return made


cluster = shop()
"""
# What makes the widget, the guesses by the words of their menus, the button, what is said then.
TRIALS = (
    (
        "watch = viz.watch_stream(fresh())\nwatch.command()\nwatch",
        {"Wrong at the end": "neither"},
        *("Let it happen", "The counter says 2, the reader 3; there are 3."),
    ),
    (
        "viz.resolver_trace(fresh())",
        {"Names asked for": "1", "It ends with": "an address"},
        *("Resolve", "Right: 1 name. It ends with an address: right."),
    ),
    (
        "viz.pod_scope(fresh())",
        {"STATUS": "Running", "Ready": "ready", "restarted": "no"},
        *("Create the Pod", "STATUS: right, Running. Ready: right, ready."),
    ),
    (
        "viz.scheduling_board(fresh())",
        {"It lands on": "control-plane"},
        *("Create the Pod", "You said control-plane."),
    ),
    ("viz.steps(fresh())", {"Next to act": "you"}, "Guess, then go on", "Right. You hand a wish"),
    (
        "viz.light_up(fresh())",
        {"Acts first": "kube-controller-manager", "Stays dark": "coredns"},
        *("Run the command", "Right. kube-controller-manager acted first"),
    ),
    (
        "loop = viz.reconcile_stepper(fresh())\nloop.command()\nloop",
        {"The loop will": "create Pods"},
        *("Guess, then one turn", "it saw 0 of 3 replicas: create 3."),
    ),
    (
        "viz.rule_debugger(cluster)",
        {"It is": "rewritten to a Pod", "Ways": "3"},
        *("Send a packet", "Right: it is rewritten to a Pod. 3 ways: right."),
    ),
    (
        "viz.packet_card(cluster)",
        {"It is": "answered", "The server sees": "the client's own"},
        *("Send the request", "it is answered. The address that the server sees"),
    ),
    (
        "viz.journey_steps(cluster, cluster.request('node/worker-1', 'http://192.168.10.12'))",
        {"Next": "it moves on"},
        *("Guess, then go on", "Right. worker-1 to worker-2: tcp"),
    ),
    (
        "viz.load_generator(cluster)",
        {"The load": "roughly equally many", "Failed": "none"},
        *("Send the requests", "0 requests failed: right."),
    ),
    (
        "viz.rollout_dials(shop())",
        {"Pods at most": "4", "ready at least": "3", "It": "ends"},
        *("Roll out", "Pods at most: right, 4. ready at least: right, 3."),
    ),
    (
        "viz.slice_workbench(shop())",
        {"ready": "true", "serving": "true", "terminating": "false", "port": "80"},
        *("Open the slice", "port: right, 80."),
    ),
    (
        "viz.scale_lens(cluster)",
        {"iptables": "a few, always", "nftables": "a few, always"},
        *("Measure", "So few cannot tell how it grows"),
    ),
    (
        "viz.incident_console(fresh())",
        {"The cause is in": "the Service and its endpoints"},
        *("Name the cause", "Right, after 0 looks."),
    ),
)
CELLS = (
    *(WEB, "explorer(cluster)", "label_magnet(cluster, services=['web'])"),
    *(made for made, *_ in TRIALS),
)
MAP, MEMBERSHIP = 0, 1  # which picture of the page
MOST = 15_000  # ms, until a picture has changed


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[jupyterlab.Visit]:
    home = tmp_path_factory.mktemp("widgets")
    (home / "notebooks").mkdir()
    lab.quiet_the_news(Path(sys.prefix))
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS])
    notebook.metadata.update(kernelspec=notebook_files.KERNEL)
    nbformat.write(notebook, home / "notebooks" / "widgets.ipynb")
    folder = Path(os.environ.get("K8SLAB_PICTURES", home))
    folder.mkdir(parents=True, exist_ok=True)
    with jupyterlab.serve(home / "notebooks", home) as address, jupyterlab.browser() as chrome:
        yield jupyterlab.run_all(chrome, address, "widgets.ipynb", folder / "widgets.png")


@pytest.fixture
def page(visit: jupyterlab.Visit) -> Iterator[Any]:
    yield visit.page
    jupyterlab.photograph(visit)
    assert (visit.console_errors, visit.cell_errors) == ([], [])


def picture(page: Any, number: int) -> str:
    text: str = page.locator("svg.k8slab").nth(number).inner_html()
    return text


def wait_for_another(page: Any, number: int, before: str) -> None:
    other = "([n, old]) => document.querySelectorAll('svg.k8slab')[n].innerHTML !== old"
    page.wait_for_function(other, arg=[number, before], timeout=MOST)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_time_bar_steps_by_keyboard(page, key) -> None:
    before = picture(page, MAP)
    page.get_by_role("button", name="Step").first.focus()
    page.keyboard.press(key)
    wait_for_another(page, MAP, before)


def test_the_arrow_keys_scrub_through_the_past(page) -> None:
    before = picture(page, MAP)
    handle = page.locator(".widget-slider .noUi-handle").first
    handle.focus()
    for _ in range(40):
        handle.press("ArrowLeft")
    wait_for_another(page, MAP, before)
    page.get_by_text("(the past; now it is").wait_for(timeout=MOST)
    page.get_by_role("button", name="Now").first.click()
    page.get_by_text("(the past; now it is").wait_for(state="detached", timeout=MOST)


def test_play_moves_the_time_and_stops_by_itself(page) -> None:
    before = picture(page, MAP)
    page.locator(".widget-play button").first.click()
    wait_for_another(page, MAP, before)


def test_a_guess_gets_an_explanation(page) -> None:
    page.get_by_role("button", name="Guess, then step").first.click()
    page.get_by_text("First choose who you think it is.").wait_for(timeout=MOST)


def test_the_magnet_moves_a_label_once_both_predictions_are_made(page) -> None:
    before = picture(page, MEMBERSHIP)
    page.get_by_role("button", name="Move the label").click()
    page.get_by_text("Predict both first.").wait_for(timeout=MOST)
    page.get_by_label("The Service").select_option(label="loses it")
    page.get_by_label("The ReplicaSet").select_option(label="makes a new Pod")
    page.get_by_role("button", name="Move the label").focus()
    page.keyboard.press("Enter")
    wait_for_another(page, MEMBERSHIP, before)
    page.get_by_text("Service: right. web lost").wait_for(timeout=MOST)


def cell_of(page: Any, code: str) -> Any:
    """Return the cell that holds some code, in sight: what is far away is not drawn."""
    cell = page.locator(".jp-CodeCell", has_text=code)
    cell.scroll_into_view_if_needed(timeout=MOST)
    return cell


def choose(cell: Any, words: str, option: str) -> None:
    """Choose an option of a menu; the keys that do so differ between systems."""
    menu = cell.get_by_label(words, exact=True)
    menu.focus(timeout=MOST)
    menu.select_option(option)


@pytest.mark.parametrize("number", range(len(TRIALS)))
def test_a_trial_asks_first_and_then_shows_from_the_keyboard_alone(page, number) -> None:
    made, guesses, go, said = TRIALS[number]
    cell = cell_of(page, made.partition("(")[0])
    before = cell.locator("svg.k8slab").inner_html(timeout=MOST)
    start = cell.get_by_role("button", name=go)
    start.press("Enter", timeout=MOST)
    cell.get_by_text("Predict first:").wait_for(timeout=MOST)
    for words, option in guesses.items():
        choose(cell, words, option)
    start.press("Space")
    cell.get_by_text(said).wait_for(timeout=MOST)
    assert cell.locator("svg.k8slab").inner_html() != before


def test_the_dials_of_a_trial_are_turned_by_keys_and_shown_at_once(page) -> None:
    cell = cell_of(page, "viz.pod_scope")
    choose(cell, "has started up", "5 s")
    cell.get_by_text("sleep 5; touch /tmp/ready").wait_for(timeout=MOST)


def test_the_pictures_follow_the_dark_theme(page) -> None:
    paper = "() => getComputedStyle(document.querySelector('svg.k8slab rect')).fill"
    light = page.evaluate(paper)
    page.evaluate("document.body.setAttribute('data-jp-theme-light', 'false')")
    assert page.evaluate(paper) != light
