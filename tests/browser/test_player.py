"""An exported player, opened as a file in a real browser: no server, no network, keys and mouse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.viz import explorer
from tests.browser import jupyterlab
from tools import chromium

pytestmark = [
    pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium on this machine"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cluster = Cluster(workers=2, seed=7)
    live = explorer(cluster)
    cluster.kubectl("create deployment web --image=nginx --replicas=3")
    cluster.run(5)
    return live.export_html(tmp_path_factory.mktemp("player") / "run.html")


@pytest.fixture(scope="module")
def opened(file: Path) -> Iterator[Any]:
    with jupyterlab.browser() as chrome:
        page = chrome.new_page(viewport={"width": 1000, "height": 900})
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
        page.on(
            "request",
            lambda r: None if r.url.startswith("file:") else trouble.append(r.url),
        )
        page.goto(file.as_uri())
        yield page
        assert trouble == []


def caption(page: Any) -> str:
    words: str = page.locator("#caption").inner_text()
    return words


def test_it_begins_at_the_first_frame(opened) -> None:
    assert opened.locator("#number").inner_text().startswith("1 of ")


def test_the_arrow_keys_move_picture_caption_and_words(opened) -> None:
    before = opened.locator("#picture").inner_html(), caption(opened)
    opened.locator("body").press("ArrowRight")
    after = opened.locator("#picture").inner_html(), caption(opened)
    assert after[1] != before[1]
    opened.locator("body").press("ArrowLeft")
    assert (opened.locator("#picture").inner_html(), caption(opened)) == before


def test_the_slider_scrubs_to_the_end(opened) -> None:
    opened.locator("#place").focus()
    opened.keyboard.press("End")
    assert "5 Pods" in opened.locator("#picture svg").get_attribute("aria-label")
    opened.get_by_text("In words").click()
    assert "web-" in opened.locator("#words").inner_text()


def test_play_runs_and_can_be_stopped(opened) -> None:
    opened.get_by_role("button", name="Play").click()
    opened.wait_for_function("document.getElementById('number').textContent.startsWith('3 of')")
    opened.get_by_role("button", name="Pause").press("Enter")
    assert opened.locator("#play").get_attribute("aria-pressed") == "false"
