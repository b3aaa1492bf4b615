"""The import graph is the architecture diagram; the contracts themselves are in pyproject.toml."""

import ast
import subprocess
import sys

import pytest

from tests.architecture import source

CLOCKS_AND_WIRES = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
OUTSIDE = {"http.client", "http.server", "urllib.request", "time", "asyncio", "threading", "socket"}
HEAVY = ("matplotlib", "networkx", "numpy", "ipywidgets", "IPython", "tornado", "jupyterlab")


def test_every_import_contract_is_kept() -> None:
    from importlinter.cli import lint_imports  # not at the top: it sets up logging

    assert lint_imports(config_filename=str(source.ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize("path", source.modules(*source.ENGINE), ids=source.name)
def test_the_engine_never_looks_at_the_wall_clock_or_the_network(path) -> None:
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.Attribute):
            last_two = ".".join(ast.unparse(node).split(".")[-2:])
            assert last_two not in CLOCKS_AND_WIRES, f"{source.name(path)}:{node.lineno}"
        if isinstance(node, ast.Import):
            assert not OUTSIDE & {alias.name for alias in node.names}, source.name(path)
        if isinstance(node, ast.ImportFrom):
            assert node.module not in OUTSIDE, f"{source.name(path)}:{node.lineno}"


@pytest.mark.parametrize("path", source.modules(*source.ENGINE), ids=source.name)
def test_nothing_in_the_engine_depends_on_the_hash_of_a_string(path) -> None:
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            inside_hash = any(node in ast.walk(method) for method in own_hashes(path))
            assert node.func.id != "hash" or inside_hash, f"{source.name(path)}:{node.lineno}"
        for iterated in iterables(node):
            assert not is_set(iterated), f"{source.name(path)}:{iterated.lineno} iterates a set"


def own_hashes(path) -> list[ast.FunctionDef]:
    functions = [n for n in ast.walk(source.tree(path)) if isinstance(n, ast.FunctionDef)]
    return [function for function in functions if function.name == "__hash__"]


def iterables(node: ast.AST) -> list[ast.expr]:
    """What a node walks through in order: loops, comprehensions and the like of list(...)."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        return [node.iter]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.args[:1] if node.func.id in ("list", "tuple", "enumerate", "iter") else []
    return [node.value] if isinstance(node, ast.Starred) else []


def is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub):
        return is_set(node.left) or is_set(node.right)
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return isinstance(node, ast.Set | ast.SetComp) or called in ("set", "frozenset")


def test_a_set_is_recognised_wherever_it_is_walked_through() -> None:
    walked = ("for x in {1, 2}: pass", "[x for x in set(a)]", "list(set(a) - b)", "f(*{1})")
    for text in walked:
        found = [i for node in ast.walk(ast.parse(text)) for i in iterables(node) if is_set(i)]
        assert found, text


def test_importing_the_package_loads_nothing_that_draws_or_serves() -> None:
    code = "import sys, k8slab; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source.ROOT, capture_output=True, text=True, check=True
    )
    assert not {name.split(".")[0] for name in done.stdout.split()} & set(HEAVY)


def test_the_engine_loads_nothing_that_draws_or_serves() -> None:
    names = ", ".join(map(source.dotted, source.modules(*source.ENGINE)))
    code = (
        "import sys, time; start = time.perf_counter(); "
        f"import {names}; print(time.perf_counter() - start, *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source.ROOT, capture_output=True, text=True, check=True
    )
    taken, *loaded = done.stdout.split()
    print(f"importing the engine took {float(taken):.3f} s")  # pytest -rP shows it
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)
