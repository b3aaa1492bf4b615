"""A real JupyterLab with a real browser in front of it.

    with serve(folder) as server, browser() as chrome:
        visit = run_all(chrome, server, "00_meet_the_lab.ipynb", picture=Path("00.png"))

`visit` has the console's errors, the cells' errors and the picture's path; the page stays open, so
that a test can move a slider (`nudge`) and look again. Server and browser end with their blocks.
"""

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import chromium, lab

START = 60  # s, until the server answers
KERNEL = 30_000  # ms, until the kernel answers
CELLS = 120_000  # ms, until every cell has run
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_STARS = """() => ![...document.querySelectorAll('.jp-InputPrompt')]
    .some(prompt => prompt.textContent.includes('*'))"""
# What a failed cell and stderr look like alike.
ERRORS = (
    ".jp-OutputArea-output[data-mime-type*=stderr], .jp-OutputArea-output[data-mime-type*=error]"
)
# The browser asks for an icon that a test server may not have, and the like.
HARMLESS = re.compile(r"favicon|ResizeObserver loop|Autofocus processing")


@dataclass
class Visit:
    """What was seen of one notebook."""

    page: Any
    picture: Path
    console_errors: list[str] = field(default_factory=list)
    cell_errors: list[str] = field(default_factory=list)


@contextmanager
def serve(root: Path, home: Path) -> Iterator[str]:
    """Run JupyterLab for a folder on a free port of loopback; give its address."""
    port = free_port()
    command = [*lab.command(root), "--no-browser", f"--port={port}", "--IdentityProvider.token="]
    lab.keep_lines_whole(home)
    environment = {**os.environ, **lab.own_folders(home), "JUPYTER_RUNTIME_DIR": str(home / "run")}
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}", server, home / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_answers(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START * 5):
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
    raise TimeoutError(f"JupyterLab did not answer:\n{log.read_text()}")


@contextmanager
def browser() -> Iterator[Any]:
    """Give a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        yield chrome
        chrome.close()


def run_all(chrome: Any, address: str, notebook: str, picture: Path) -> Visit:
    """Open a notebook, run every cell, take a picture of the whole of it."""
    page = chrome.new_page(viewport={"width": 1280, "height": 1000})
    visit = Visit(page, picture)
    page.on("console", lambda message: note(visit, message.type, message.text))
    page.on("pageerror", lambda error: note(visit, "error", str(error)))
    page.goto(f"{address}/lab/tree/{notebook}?reset")
    wait_for_idle(page, KERNEL)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    wait_for_cells(page)
    visit.cell_errors = page.locator(ERRORS).all_inner_texts()
    photograph(visit)
    return visit


def wait_for_idle(page: Any, timeout: int) -> None:
    """Wait for the status bar; the kernel indicator of the notebook is idle too early."""
    page.get_by_text(re.compile(r"\| Idle")).wait_for(timeout=timeout)


def wait_for_cells(page: Any) -> None:
    """Wait until no cell has the star of one that runs or is going to."""
    page.wait_for_timeout(500)  # until the stars are there
    page.wait_for_function(NO_STARS, timeout=CELLS)
    wait_for_idle(page, CELLS)
    page.wait_for_timeout(500)  # until the last output is drawn


def note(visit: Visit, kind: str, text: str) -> None:
    if kind == "error" and not HARMLESS.search(text):
        visit.console_errors.append(text)


def nudge(visit: Visit, steps: int = 1) -> None:
    """Move the first slider of the notebook to the right."""
    handle = visit.page.locator(".widget-slider .noUi-handle").first
    handle.focus()
    for _ in range(steps):
        handle.press("ArrowRight")
    wait_for_cells(visit.page)


def photograph(visit: Visit) -> None:
    """Take a picture of the whole notebook, however long it is."""
    inside = ".jp-WindowedPanel-outer"
    height = visit.page.evaluate(f"document.querySelector('{inside}').scrollHeight")
    # After the last cell JupyterLab shows the end; what is not shown is not drawn.
    visit.page.evaluate(f"document.querySelector('{inside}').scrollTop = 0")
    visit.page.set_viewport_size({"width": 1280, "height": min(int(height) + 200, 16_000)})
    visit.page.wait_for_timeout(500)
    visit.page.screenshot(path=str(visit.picture))
