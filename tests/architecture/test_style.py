"""The house style, as far as a program can see it."""

import ast
import re

import pytest

from tests.architecture import source

LONGEST_MODULE = 350
# Declarative tables may be longer: the fields of the API's types.
TABLES = re.compile(r"k8slab/api/.*")
LONGEST_FUNCTION = 50
# What tracebacks and careless notes leave behind.
A_MACHINE = re.compile(r"/\.venv/lib|/site-packages/|/\.pyenv/|/ipykernel_\d|[A-Z]:\\Users")
A_REGISTRY = re.compile(
    r"https?://\S*(?:/simple\b|pypi|mirror)|--(?:extra-)?index-url|--find[-]links"
)
TEXT = (".py", ".md", ".toml", ".yml", ".yaml", ".lock", ".txt", ".cfg", ".ipynb", ".sh", "")
UPSTREAM = re.compile(r"^Upstream: \S", re.MULTILINE)


@pytest.mark.parametrize("path", source.modules(), ids=source.name)
def test_every_module_says_what_it_is(path) -> None:
    assert ast.get_docstring(source.tree(path)), source.name(path)


@pytest.mark.parametrize("path", source.modules(*source.NAMED_AFTER_UPSTREAM), ids=source.name)
def test_every_module_names_what_it_is_upstream(path) -> None:
    documented = ast.get_docstring(source.tree(path)) or ""
    assert UPSTREAM.search(documented), f"{source.name(path)}: no line `Upstream: <path>`"


@pytest.mark.parametrize("path", source.modules(), ids=source.name)
def test_a_module_is_one_idea(path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_MODULE or TABLES.match(source.name(path)), f"{lines} lines"


@pytest.mark.parametrize("path", source.modules(), ids=source.name)
def test_a_function_fits_on_a_screen(path) -> None:
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{source.name(path)}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", source.tracked())
def test_no_committed_file_names_a_machine_or_a_registry(path) -> None:
    if (source.ROOT / path).suffix not in TEXT or path == source.name(source.Path(__file__)):
        return
    text = (source.ROOT / path).read_text(errors="replace")
    assert str(source.ROOT) not in text
    assert not A_MACHINE.search(text)
    assert not A_REGISTRY.search(text)
