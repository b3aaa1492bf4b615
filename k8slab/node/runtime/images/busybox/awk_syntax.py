r"""awk's grammar: from the text of a program to a tree.

A statement is a node, too: ("print", items), ("if", condition, yes, no).

    >>> parse("NR > 1 { print $2 }")[0].body
    ('block', [('print', [('field', ('number', 2.0))])])

Rule of use: `parse` gives the rules; functions are among them under their names.

Upstream: busybox editors/awk.c, POSIX awk
"""

from __future__ import annotations

import msgspec

from k8slab.node.runtime.images.busybox.awk_expressions import (
    AwkError,
    Expressions,
    Node,
    tokens_of,
)


class Rule(msgspec.Struct):
    """A pattern and what is done with the lines that it selects."""

    kind: str  # "BEGIN", "END", "line", or the name of a function
    pattern: Node | None
    until: Node | None  # the second pattern of a range
    body: Node | None  # None: print the line
    parameters: tuple[str, ...] = ()
    is_open: bool = False  # whether the range is open just now


def parse(program: str) -> list[Rule]:
    """Return the rules. Raises AwkError."""
    return _Parser(tokens_of(program)).rules()


class _Parser(Expressions):
    """The grammar above expressions."""

    def rules(self) -> list[Rule]:
        found: list[Rule] = []
        self._newlines()
        while self._now.kind != "end":
            found.append(self._rule())
            self._newlines()
        return found

    def _rule(self) -> Rule:
        if self._skip("function", "func"):
            name = self._take().text
            self._expect("(")
            parameters = []
            while not self._skip(")"):
                parameters.append(self._take().text)
                self._skip(",")
            self._blank()
            return Rule(name, None, None, self._block(), tuple(parameters))
        if self._is("BEGIN", "END"):
            kind = self._take().text
            return Rule(kind, None, None, self._block())
        pattern = None if self._is("{") else self._expression()
        until = self._expression() if self._skip(",") else None
        return Rule("line", pattern, until, self._block() if self._is("{") else None)

    # -- statements

    def _block(self) -> Node:
        self._expect("{")
        statements = []
        self._newlines()
        while not self._skip("}"):
            statements.append(self._statement())
            self._newlines()
        return "block", statements

    def _body(self) -> Node:
        self._blank()
        if self._skip(";"):
            return "block", []
        return self._statement()

    def _statement(self) -> Node:
        if self._is("{"):
            return self._block()
        word = self._now.text if self._now.kind == "name" else ""
        compound = {"if": self._if, "while": self._while, "for": self._for, "do": self._do}
        if word in compound:
            self._take()
            return compound[word]()
        statement = self._simple()
        if not self._is("}", "\n", ";") and self._now.kind != "end":
            raise AwkError("cmd. line:1: Unexpected token")
        return statement

    def _simple(self) -> Node:
        if self._is("print", "printf"):
            return self._take().text, self._items(), *self._redirection()
        if self._is("next", "break", "continue"):
            return (self._take().text,)
        if self._is("exit", "return"):
            word = self._take().text
            return word, None if self._is("}", "\n", ";") else self._expression()
        if self._skip("delete"):
            name = self._take().text
            return "delete", name, self._index() if self._is("[") else None
        return "do", self._expression()

    def _items(self) -> list[Node]:
        items = []
        while not self._is("}", "\n", ";") and self._now.kind != "end":
            if self._is(">", ">>", "|"):
                break
            items.append(self._expression(no_greater=True))
            if not self._skip(","):
                break
        if len(items) == 1 and items[0][0] == "group" and len(items[0][1]) > 1:
            return list(items[0][1])
        return items

    def _redirection(self) -> Node:
        """Read where the output goes: a sign and an expression, nothing for the standard one."""
        if self._is("|"):
            raise AwkError("cmd. line:1: output to commands is not simulated")
        if not self._is(">", ">>"):
            return ()
        return self._take().text, self._concatenation(no_greater=True)

    def _if(self) -> Node:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        yes = self._body()
        mark = self._at
        self._newlines()
        if self._skip("else"):
            return "if", condition, yes, self._body()
        self._at = mark
        return "if", condition, yes, None

    def _while(self) -> Node:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        return "while", condition, self._body()

    def _do(self) -> Node:
        body = self._body()
        self._newlines()
        self._expect("while")
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        return "block", [body, ("while", condition, body)]

    def _for(self) -> Node:
        self._expect("(")
        name, word, array = self._tokens[self._at : self._at + 3]
        if name.kind == "name" and word.text == "in" and self._tokens[self._at + 3].text == ")":
            self._at += 4
            return "for in", name.text, array.text, self._body()
        first = None if self._is(";") else self._simple()
        self._expect(";")
        condition = None if self._is(";") else self._expression()
        self._expect(";")
        step = None if self._is(")") else self._simple()
        self._expect(")")
        return "for", first, condition, step, self._body()
