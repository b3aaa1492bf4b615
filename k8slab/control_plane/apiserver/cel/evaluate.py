"""From the tree of an expression and its variables to a value.

`&&` and `||` do not mind an error on one side if the other decides. `all`, `exists`, `map` and
their like bind a name to each item of a list, or to each key of a map.

Rule of use: `evaluate(tree, variables)`; raises CelError in CEL's words. Pure.

Upstream: github.com/google/cel-go/interpreter
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from k8slab.control_plane.apiserver.cel.functions import FUNCTIONS, METHODS, add, compare, divide
from k8slab.control_plane.apiserver.cel.syntax import (
    Call,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Select,
)
from k8slab.control_plane.apiserver.cel.values import NO_OVERLOAD, CelError, Optional, equal

Variables: TypeAlias = Mapping[str, Any]
# How fields are written whose names are no names in CEL.
ESCAPES = (("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"))
MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})


def evaluate(tree: Node, variables: Variables) -> Any:
    """Return the value of an expression."""
    if isinstance(tree, Literal):
        return tree.value
    if isinstance(tree, Name):
        if tree.name not in variables:
            raise CelError(f"no such attribute(s): {tree.name}")
        return variables[tree.name]
    if isinstance(tree, Select):
        return _select(tree, variables)
    if isinstance(tree, ListOf):
        return tuple(evaluate(item, variables) for item in tree.items)
    if isinstance(tree, MapOf):
        return {evaluate(k, variables): evaluate(v, variables) for k, v in tree.entries}
    return _call(tree, variables)


def unescape(name: str) -> str:
    """Return the field that a name in an expression means.

    >>> unescape("app__dot__kubernetes"), unescape("__namespace__")
    ('app.kubernetes', 'namespace')
    """
    for written, meant in ESCAPES:
        name = name.replace(written, meant) if written in name else name
    is_reserved = name.startswith("__") and name.endswith("__") and len(name) > 4
    return name[2:-2] if is_reserved else name


def _select(tree: Select, variables: Variables) -> Any:
    of = evaluate(tree.of, variables)
    field = unescape(tree.field)
    if isinstance(of, Optional):
        of, tree = of.value, Select(tree.of, tree.field, optional=True)
    there = isinstance(of, Mapping) and field in of
    if tree.test:
        if not isinstance(of, Mapping):
            raise CelError(NO_OVERLOAD)
        return there
    if tree.optional:
        return Optional(of[field], True) if there else Optional()
    if not isinstance(of, Mapping):
        raise CelError(NO_OVERLOAD)
    if not there:
        raise CelError(f"no such key: {field}")
    return of[field]


def _call(tree: Call, variables: Variables) -> Any:
    special = SPECIAL.get(tree.function)
    if special is not None and tree.target is None:
        return special(tree, variables)
    if tree.target is None:
        function = FUNCTIONS.get(tree.function)
        if function is None:
            raise CelError(NO_OVERLOAD)
        return _applied(function, *(evaluate(arg, variables) for arg in tree.args))
    if isinstance(tree.target, Name) and tree.target.name not in variables:
        function = FUNCTIONS.get(f"{tree.target.name}.{tree.function}")  # sets.contains
        if function is not None:
            return _applied(function, *(evaluate(arg, variables) for arg in tree.args))
    if tree.function in MACROS and len(tree.args) > 1:
        return _comprehension(tree, variables)
    method = METHODS.get(tree.function)
    if method is None:
        raise CelError(NO_OVERLOAD)
    args = (evaluate(arg, variables) for arg in tree.args)
    return _applied(method, evaluate(tree.target, variables), *args)


def _applied(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except CelError:
        raise
    except (TypeError, AttributeError):
        raise CelError(NO_OVERLOAD) from None
    except (ValueError, ArithmeticError, LookupError) as error:
        raise CelError(str(error)) from None


def _comprehension(tree: Call, variables: Variables) -> Any:
    name, *bodies = tree.args
    if tree.target is None or not isinstance(name, Name):
        raise CelError("argument must be a simple name")
    over = evaluate(tree.target, variables)
    if not isinstance(over, list | tuple | Mapping):
        raise CelError(NO_OVERLOAD)
    items = list(over)
    last = bodies[-1]

    def of(body: Node, item: Any) -> Any:
        return evaluate(body, {**variables, name.name: item})

    if tree.function == "map":
        kept = [item for item in items if len(bodies) == 1 or _truth(of(bodies[0], item))]
        return tuple(of(last, item) for item in kept)
    if tree.function == "filter":
        return tuple(item for item in items if _truth(of(last, item)))
    if tree.function in ("exists_one", "existsOne"):
        return sum(_truth(of(last, item)) for item in items) == 1
    decisive = tree.function == "exists"  # one true decides, or one false
    return _decided((lambda item=item: of(last, item) for item in items), decisive)


def _decided(parts: Any, decisive: bool) -> bool:
    """Return what some truths come to: an error counts only if no other decides."""
    failed: CelError | None = None
    for part in parts:
        try:
            if _truth(part()) is decisive:
                return decisive
        except CelError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return not decisive


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise CelError(NO_OVERLOAD)
    return value


def _logic(decisive: bool) -> Callable[[Call, Variables], Any]:
    def evaluated(tree: Call, variables: Variables) -> Any:
        return _decided((lambda arg=arg: evaluate(arg, variables) for arg in tree.args), decisive)

    return evaluated


def _conditional(tree: Call, variables: Variables) -> Any:
    chosen = 1 if _truth(evaluate(tree.args[0], variables)) else 2
    return evaluate(tree.args[chosen], variables)


def _operator(function: Callable[..., Any]) -> Callable[[Call, Variables], Any]:
    def evaluated(tree: Call, variables: Variables) -> Any:
        return _applied(function, *(evaluate(arg, variables) for arg in tree.args))

    return evaluated


def _index(of: Any, key: Any) -> Any:
    if isinstance(of, Mapping):
        if key not in of:
            raise CelError(f"no such key: {key}")
        return of[key]
    if not isinstance(of, list | tuple) or isinstance(key, bool) or not isinstance(key, int):
        raise CelError(NO_OVERLOAD)
    if not 0 <= key < len(of):
        raise CelError(f"index out of bounds: {key}")
    return of[key]


def _index_if_there(of: Any, key: Any) -> Optional:
    try:
        return Optional(_index(of, key), True)
    except CelError:
        return Optional()


def _within(item: Any, of: Any) -> bool:
    if isinstance(of, Mapping):
        return item in of
    if not isinstance(of, list | tuple):
        raise CelError(NO_OVERLOAD)
    return any(equal(item, other) for other in of)


SPECIAL: Mapping[str, Callable[[Call, Variables], Any]] = {
    "_||_": _logic(True),
    "_&&_": _logic(False),
    "_?_:_": _conditional,
    "!_": _operator(lambda value: not _truth(value)),
    "-_": _operator(lambda value: -value),
    "_==_": _operator(equal),
    "_!=_": _operator(lambda one, other: not equal(one, other)),
    "_<_": _operator(lambda one, other: compare(one, other) < 0),
    "_<=_": _operator(lambda one, other: compare(one, other) <= 0),
    "_>_": _operator(lambda one, other: compare(one, other) > 0),
    "_>=_": _operator(lambda one, other: compare(one, other) >= 0),
    "_in_": _operator(_within),
    "_+_": _operator(add),
    "_-_": _operator(lambda one, other: add(one, other, minus=True)),
    "_*_": _operator(lambda one, other: divide(one, other, "*")),
    "_/_": _operator(lambda one, other: divide(one, other, "/")),
    "_%_": _operator(lambda one, other: divide(one, other, "%")),
    "_[_]": _operator(_index),
    "_[?_]": _operator(_index_if_there),
}
