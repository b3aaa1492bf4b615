r"""The grammar of a Corefile, which it has from Caddy: words in lines, and blocks in braces.

    (snippet) {             # a snippet: lines that others import
        errors
    }
    example.org:53 {        # the keys of a server block, then its directives
        import snippet
        cache 30 {          # a directive: words of one line, and of a block
            prefetch 10
        }
    }

A word in quotes may have blanks in it; `#` begins a comment, `{$NAME}` is a variable of the
environment. Words that belong to a directive stay together as lines of words.

Rule of use: `blocks(text, file)`; what a directive means is none of this module's business.

Upstream: coredns/caddy caddyfile/lexer.go, parse.go, dispenser.go
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

ENVIRONMENT = re.compile(r"\{\$(\w+)\}|\{%(\w+)%\}")
ReadFile = Callable[[str], str]  # raises FileNotFoundError


class CorefileError(ValueError):
    """The Corefile cannot be used; the message is CoreDNS' own."""


class Token(msgspec.Struct, frozen=True):
    """One word, and where it stands."""

    text: str
    line: int
    file: str

    def error(self, words: str) -> CorefileError:
        """Return an error that names the place."""
        return CorefileError(f"{self.file}:{self.line} - Error during parsing: {words}")

    def syntax_error(self, expected: str) -> CorefileError:
        """Return an error about this word in the place of another."""
        return CorefileError(
            f"{self.file}:{self.line} - Syntax error: "
            f"Unexpected token '{self.text}', expecting '{expected}'"
        )


class Block(msgspec.Struct, frozen=True):
    """A server block: its keys, and its directives as they stand, each a list of words."""

    keys: tuple[Token, ...]
    directives: tuple[tuple[Token, ...], ...]


def lex(text: str, file: str) -> list[Token]:
    """Return the words of a text."""
    found: list[Token] = []
    word, line, start = "", 1, 1
    quoted = escaped = began = comment = False

    def end() -> None:
        nonlocal word, began
        if began:
            found.append(Token(word, start, file))
        word, began = "", False

    for char in text:
        if char == "\n":
            comment = False
        if comment or char == "\r":
            pass
        elif quoted:
            if escaped:
                word += char if char == '"' else f"\\{char}"
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                quoted = False
                end()
            else:
                word += char
        elif char.isspace():
            end()
        elif char == "#" and not began:
            comment = True
        else:
            if not began:
                began, start = True, line
                if char == '"':
                    quoted = True
                    continue
            word += char
        line += char == "\n"
    end()
    return found


def blocks(
    text: str,
    file: str,
    *,
    known: Callable[[str], bool],
    read: ReadFile | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Block, ...]:
    """Return the server blocks; `known` says which directives there are. Raises CorefileError."""
    parser = _Parser(lex(text, file), known, read, environment or {})
    found = []
    while parser.more():
        block = parser.block()
        if block is not None:
            found.append(block)
    return tuple(found)


class _Parser:
    def __init__(
        self,
        tokens: list[Token],
        known: Callable[[str], bool],
        read: ReadFile | None,
        environment: Mapping[str, str],
    ) -> None:
        self._tokens, self._known, self._read = tokens, known, read
        self._environment = environment
        self._snippets: dict[str, list[Token]] = {}
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._tokens)

    def block(self) -> Block | None:
        """Read a server block, or a snippet, for which None is returned."""
        keys = self._keys()
        if not keys:
            return None
        first = keys[0].text
        if first.startswith("(") and first.endswith(")"):
            self._snippets[first[1:-1]] = self._braces()
            return None
        if not self.more():
            return Block(tuple(keys), ())
        opening = self._tokens[self._at]
        if opening.text != "{":  # a file may be one block without braces
            return Block(tuple(keys), self._directives(braces=False))
        self._at += 1
        return Block(tuple(keys), self._directives(braces=True))

    def _keys(self) -> list[Token]:
        """Read addresses up to the end of the line; a comma says that there are more."""
        keys: list[Token] = []
        goes_on = False
        while self.more():
            token = self._tokens[self._at]
            if token.text == "{":
                if not keys:
                    raise token.error("Unexpected '{' because no address stands before it")
                return keys
            if keys and token.line != keys[-1].line and not goes_on:
                return keys
            self._at += 1
            if token.text == "import" and not keys:
                self._import(token)
                continue
            goes_on = token.text.endswith(",")
            text = self._filled(token.text.rstrip(","))
            if text:
                keys.append(Token(text, token.line, token.file))
        return keys

    def _directives(self, *, braces: bool) -> tuple[tuple[Token, ...], ...]:
        found: list[tuple[Token, ...]] = []
        while self.more():
            token = self._tokens[self._at]
            if token.text == "}" and braces:
                self._at += 1
                return tuple(found)
            self._at += 1
            if token.text == "import":
                self._import(token)
                continue
            if not self._known(token.text):
                raise token.error(f"Unknown directive '{token.text}'")
            found.append(self._directive(token))
        if braces:
            raise self._tokens[-1].syntax_error("}")
        return tuple(found)

    def _directive(self, first: Token) -> tuple[Token, ...]:
        """Read the words of a directive: those of its line, and of the blocks that open there."""
        words = [first]
        depth = 0
        while self.more():
            token = self._tokens[self._at]
            if depth == 0 and (token.line, token.file) != (words[-1].line, first.file):
                break
            self._at += 1
            if token.text == "import" and token.line != words[-1].line:
                self._import(token)
                continue
            if token.text == "{":
                depth += 1
            elif token.text == "}":
                if depth == 0:
                    raise token.error("Unexpected '}' because no matching opening brace")
                depth -= 1
            words.append(Token(self._filled(token.text), token.line, token.file))
        if depth:
            raise words[-1].error("Unexpected EOF")
        return tuple(words)

    def _braces(self) -> list[Token]:
        """Read a block in braces as it is, for later."""
        opening = self._tokens[min(self._at, len(self._tokens) - 1)]
        if opening.text != "{":
            raise opening.syntax_error("{")
        self._at += 1
        found: list[Token] = []
        depth = 1
        while self.more():
            token = self._tokens[self._at]
            self._at += 1
            depth += (token.text == "{") - (token.text == "}")
            if depth == 0:
                return found
            found.append(token)
        raise self._tokens[-1].syntax_error("}")

    def _import(self, token: Token) -> None:
        """Put what is imported in the place of the line."""
        words = []
        while self.more() and self._tokens[self._at].line == token.line:
            words.append(self._filled(self._tokens[self._at].text))
            self._at += 1
        if len(words) != 1:
            raise token.error("Wrong argument count or unexpected line ending after 'import'")
        if not words[0]:
            raise token.error("Import requires a non-empty filepath")
        self._tokens[self._at : self._at] = self._imported(token, words[0])

    def _imported(self, token: Token, name: str) -> list[Token]:
        if name in self._snippets:
            return self._snippets[name]
        folder = token.file.rpartition("/")[0]
        path = name if name.startswith("/") else f"{folder}/{name}"
        try:
            if self._read is None:
                raise FileNotFoundError(path)
            return lex(self._read(path), path)
        except FileNotFoundError:
            raise token.error(f"File to import not found: {name}") from None

    def _filled(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            return self._environment.get(found[1] or found[2], "")

        return ENVIRONMENT.sub(value, text)
