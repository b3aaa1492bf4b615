"""Notebooks as files: read, execute and write them so that the same source gives the same bytes.

`read`, `execute`, `write`. Whatever differs between two machines or two runs (times, versions,
widget model ids) is left out of the file; nbval compares the rest.
"""

import sys
from pathlib import Path
from typing import Any

# jsonschema would load a grammar for a check that notebooks do not need, which takes 1.6 s.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402

CELL_TIMEOUT = 60  # s of wall time
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
# A saved view names a model that no longer exists, and hides the static picture beside it.
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def read(path: Path) -> Any:
    """Give the notebook in a file."""
    return nbformat.read(path, as_version=4)


def execute(notebook: Any, folder: Path) -> Any:
    """Give the notebook with what its cells print, run in a fresh kernel in a folder.

    Raises `nbclient.exceptions.CellExecutionError` for a cell that fails (unless it bears the tag
    `raises-exception`), and `CellTimeoutError` for one that takes longer than `CELL_TIMEOUT`.
    """
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # else a slow moment splits what a cell prints into two outputs
        extra_arguments=[
            "--IPKernelApp.log_level=ERROR"
        ],  # it warns that loopback is not encrypted
    )
    client.execute()
    return notebook


def write(notebook: Any, path: Path) -> None:
    """Store a notebook without anything that differs between machines and runs."""
    notebook.metadata.clear()
    notebook.metadata.update(kernelspec=KERNEL, language_info=LANGUAGE)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if len(output.get("data", ())) > 1:
                output.data.pop(WIDGET_VIEW, None)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
