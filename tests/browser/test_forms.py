"""The classroom's forms in a real JupyterLab, filled in from the keyboard alone."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from k8slab.classroom.ledger import Entry, Ledger
from tests.browser import jupyterlab
from tools import chromium, lab, notebook_files

pytestmark = [
    pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium on this machine"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

CELLS = (
    "from k8slab.classroom import predict, warm_up",
    'predict("06.c", "What comes back?", choices=["the same Pod", "a new Pod"])',
    'predict("06.n", "How many?", number=True, unit="Pods")',
    'predict("06.o", "In which order?", order=["created", "bound", "ready"])',
    'predict("06.s", "Which of these?", all_of=["created", "bound", "ready"])',
    "from k8slab import Cluster\n"
    'predict("06.p", "Who is next?", choices=["etcd", "kubelet/worker-1", "kube-scheduler"],'
    " picture=Cluster(workers=1, seed=7).map())",
    'warm_up("06")',
)
CHOICE, NUMBER, ORDER, SET, PICTURE, WARM_UP = range(6)  # which Commit button of the page


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forms")


@pytest.fixture(scope="module")
def page(home: Path) -> Iterator[Any]:
    (home / "notebooks").mkdir()
    lab.quiet_the_news(Path(sys.prefix))
    ledger = f"import os; os.environ['K8SLAB_LEDGER'] = {str(home / 'ledger.json')!r}"
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in (ledger, *CELLS)])
    notebook.metadata.update(kernelspec=notebook_files.KERNEL)
    nbformat.write(notebook, home / "notebooks" / "forms.ipynb")
    with jupyterlab.serve(home / "notebooks", home) as address, jupyterlab.browser() as chrome:
        visit = jupyterlab.run_all(chrome, address, "forms.ipynb", home / "forms.png")
        yield visit.page
        assert (visit.console_errors, visit.cell_errors) == ([], [])


def commit(page: Any, form: int) -> None:
    button = page.locator("button", has_text="Commit").nth(form)
    button.press("Enter")
    button.filter(has_text="Committed").wait_for()  # this one; others may be long since
    jupyterlab.wait_for_idle(page, jupyterlab.KERNEL)


def entry(home: Path, key: str) -> Entry | None:
    return Ledger(home / "ledger.json").latest(key)


def answer(home: Path, key: str) -> Any:
    found = entry(home, key)
    return None if found is None else found.answer


def test_a_choice_and_how_sure_one_is(page: Any, home: Path) -> None:
    page.locator(".widget-radio-box input[type=radio]").nth(1).press("Space")
    page.get_by_role("button", name="certain").first.press("Enter")
    commit(page, CHOICE)
    found = entry(home, "06.c")
    assert found is not None
    assert (found.answer, found.confidence) == ("a new Pod", 0.95)


def test_a_number(page: Any, home: Path) -> None:
    page.get_by_placeholder("a number").press_sequentially("3")
    commit(page, NUMBER)
    assert answer(home, "06.n") == 3


def test_an_order(page: Any, home: Path) -> None:
    for place, name in enumerate(("bound", "created", "ready")):
        # The keys that choose in a list differ between systems; this is what they come to.
        page.locator(".widget-dropdown select").nth(place).select_option(
            index=1 + ("created", "bound", "ready").index(name)
        )
    commit(page, ORDER)
    assert answer(home, "06.o") == ("bound", "created", "ready")


def test_several_at_once(page: Any, home: Path) -> None:
    for number in (2, 0):
        page.locator(".widget-checkbox input[type=checkbox]").nth(number).press("Space")
    commit(page, SET)
    assert answer(home, "06.s") == ("created", "ready")


def test_a_shape_of_a_picture_from_the_keyboard(page: Any, home: Path) -> None:
    page.get_by_title("C · kube-scheduler").press("Space")
    page.get_by_text("Chosen: C · kube-scheduler").wait_for()
    shape = page.get_by_title("B · kubelet/worker-1")
    shape.click()
    page.get_by_text("Chosen: B · kubelet/worker-1").wait_for()
    drawn = page.locator(".widget-gridbox svg rect", has_text="kubelet/worker-1").first
    place, wanted = shape.bounding_box(), drawn.bounding_box()
    page.locator(".widget-gridbox").screenshot(path=home / "picture.png")
    off = {side: abs(place[side] - wanted[side]) for side in ("x", "y", "width", "height")}
    assert max(off.values()) < 3, off
    commit(page, PICTURE)
    assert answer(home, "06.p") == "kubelet/worker-1"


def test_a_question_of_a_warm_up_is_answered_at_once(page: Any, home: Path) -> None:
    button = page.locator("button", has_text="Commit").nth(WARM_UP)
    button.press("Enter")
    page.get_by_text("Not yet: something is still to be chosen.").first.wait_for()
    page.locator(".widget-radio-box").nth(1).locator("input").nth(0).press("Space")
    button.press("Enter")
    page.get_by_text("A Pod is bound to a node once").first.wait_for()
    assert answer(home, "06.replaced") is not None
