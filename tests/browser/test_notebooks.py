"""Every chapter runs in a real JupyterLab, from the first cell to the last, without a complaint.

The pictures are left in the folder that K8SLAB_PICTURES names, for somebody to look at.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.browser import jupyterlab
from tools import chromium, lab, notebook_files

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

pytestmark = [
    pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium on this machine"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

SLIDER = """from ipywidgets import HTML, IntSlider, VBox
slider, text = IntSlider(3, max=10), HTML("replicas: 3")
slider.observe(lambda change: setattr(text, "value", f"replicas: {change.new}"), "value")
VBox([slider, text])"""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with jupyterlab.browser() as chrome:
        yield chrome


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A JupyterLab for copies of the notebooks, and the folder that they are in."""
    home = tmp_path_factory.mktemp("lab")
    lab.quiet_the_news(Path(sys.prefix))
    shutil.copytree(ROOT / "notebooks", home / "notebooks")  # with the manifests that they apply
    with jupyterlab.serve(home / "notebooks", home) as address:
        yield address, home / "notebooks"


@pytest.fixture
def picture(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = Path(os.environ.get("K8SLAB_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{request.node.name.replace('[', '_').rstrip(']')}.png"


def errors_meant(path: Path) -> int:
    """How many errors a chapter shows on purpose."""
    cells = notebook_files.read(path).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return sum(o.output_type == "error" or o.get("name") == "stderr" for o in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_runs_to_its_end(chrome, server, picture, path: Path) -> None:
    visit = jupyterlab.run_all(chrome, server[0], path.name, picture)
    assert visit.console_errors == []
    assert len(visit.cell_errors) == errors_meant(path)
    visit.page.close()


def test_a_widget_answers_and_a_failing_cell_is_seen(chrome, server, picture) -> None:
    cells = [new_code_cell(SLIDER), new_code_cell("1 / 0")]
    notebook_files.write(new_notebook(cells=cells), server[1] / "slider.ipynb")
    visit = jupyterlab.run_all(chrome, server[0], "slider.ipynb", picture)
    assert "ZeroDivisionError" in visit.cell_errors[0]
    jupyterlab.nudge(visit)
    visit.page.get_by_text("replicas: 4").wait_for(timeout=10_000)
    visit.page.close()
