"""What can be said of an expression before it is computed: names and functions that nobody knows.

    compilation failed: ERROR: <input>:1:1: undeclared reference to 'selff' (in container '')
     | selff.replicas > 1
     | ^

Rule of use: `undeclared(tree, known)` yields them; `placed` words a problem with its place.

Upstream: github.com/google/cel-go/checker, common/error.go
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from k8slab.control_plane.apiserver.cel.evaluate import MACROS, SPECIAL
from k8slab.control_plane.apiserver.cel.functions import FUNCTIONS, METHODS, NOT_HERE
from k8slab.control_plane.apiserver.cel.syntax import (
    Call,
    ListOf,
    MapOf,
    Name,
    Node,
    Select,
)

SPECIAL_AND_FUNCTIONS = frozenset({*SPECIAL, *FUNCTIONS})
BOUND = frozenset({*METHODS, *MACROS})  # called on a value


def undeclared(tree: Node, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield (name, place) of each variable and function that there is not."""
    if isinstance(tree, Name):
        if tree.name not in known:
            yield tree.name, tree.at
    elif isinstance(tree, Select):
        yield from undeclared(tree.of, known)
    elif isinstance(tree, ListOf | MapOf):
        for part in parts(tree):
            yield from undeclared(part, known)
    elif isinstance(tree, Call):
        yield from _of_call(tree, known)


def _of_call(tree: Call, known: Collection[str]) -> Iterator[tuple[str, int]]:
    target: Node | None = tree.target
    if isinstance(target, Name) and target.name not in known:
        if f"{target.name}.{tree.function}" in FUNCTIONS:  # sets.contains
            target = None
    elif tree.function not in (*NOT_HERE, *(SPECIAL_AND_FUNCTIONS if target is None else BOUND)):
        yield tree.function, tree.at
    if target is not None:
        yield from undeclared(target, known)
    args: tuple[Node, ...] = tree.args
    inside = known
    if tree.function in MACROS and len(args) > 1 and isinstance(args[0], Name):
        inside = (*known, args[0].name)
        args = args[1:]
    for arg in args:
        yield from undeclared(arg, inside)


def parts(tree: Node) -> Iterator[Node]:
    """Yield the nodes right below a node."""
    if isinstance(tree, Select):
        yield tree.of
    elif isinstance(tree, ListOf):
        yield from tree.items
    elif isinstance(tree, MapOf):
        for key, value in tree.entries:
            yield from (key, value)
    elif isinstance(tree, Call):
        yield from (() if tree.target is None else (tree.target,))
        yield from tree.args


def names_in(tree: Node) -> Iterator[str]:
    """Yield all variables and functions that an expression names."""
    if isinstance(tree, Name):
        yield tree.name
    if isinstance(tree, Call):
        yield tree.function
    for part in parts(tree):
        yield from names_in(part)


def placed(text: str, why: str, at: int) -> str:
    """Return a problem with its place in the text, as the compiler prints it.

    >>> print(placed("a +", "Syntax error: no more", 3))
    ERROR: <input>:1:4: Syntax error: no more
     | a +
     | ...^
    """
    line = text.count("\n", 0, at)
    start = text.rfind("\n", 0, at) + 1
    shown = text[start:].split("\n", 1)[0]
    dots = "." * (at - start)
    return f"ERROR: <input>:{line + 1}:{at - start + 1}: {why}\n | {shown}\n | {dots}^"
