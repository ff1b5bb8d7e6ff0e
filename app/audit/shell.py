"""Shell scripts as the simple commands in them, by tree-sitter's grammar of bash.

The parser is stopped at its first error, for its recovery is quadratic, and is given small pieces, few of
them broken. The rest is split by hand at separators and spaces.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from app.audit.fold import Folded, fold
from app.audit.pieces import is_small, pieces
from app.audit.words import parts

_READ_BYTES = 4_096
_BROKEN = 4
_PIECES = 400
_PARSING_S = 1.0  # of CPU in one trajectory; what agents write takes a tenth
_BY_HAND = 200_000
_MOST = 600_000  # characters of script in one trajectory; a command costs some beside its length
_EACH = 100
_COMMANDS = 3_000
_SEPARATOR = re.compile(r"[;&|()\n`{}]+")
_REDIRECT = re.compile(r"^[0-9&]?(>>?\|?)(.*)$")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")
_LITERALS = {"echo", "printf"}
# A node to visit; a command to build with what it reads from; redirections of the last one; "|".
_Step: TypeAlias = "Node | tuple[Node, Command | None] | list[Node] | str"


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: its words without quotes, the text on its standard input where known,
    and the files its output goes to."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    stdin: str | None = None
    writes: tuple[tuple[str, bool], ...] = ()  # (path, appended)
    upstream: tuple[str, ...] = ()  # words of the command whose output it reads
    name: str = field(init=False)  # asked for by every sign

    def __post_init__(self) -> None:
        name = self.argv[0].rpartition("/")[2] if self.argv else ""
        object.__setattr__(self, "name", name)

    @property
    def shown(self) -> str:
        return " ".join([*(f"{k}={v}" for k, v in self.env), *self.argv])


@dataclass(slots=True)
class Shell:
    """Reads the scripts of one trajectory, within its bounds. `complete` tells whether all was read."""

    complete: bool = True
    followed: int = 0
    _parser: Parser = field(default_factory=lambda: Parser(Language(tree_sitter_bash.language())))
    _broken: int = 0
    _pieces: int = 0
    _parsing_s: float = 0.0
    _by_hand: int = 0
    _read: int = 0

    @property
    def spent(self) -> bool:
        """Whether nothing more of this trajectory is read."""
        return self._read >= _MOST or self.followed >= _COMMANDS

    def follow(self) -> bool:
        """Whether one more command may be looked at."""
        self.followed += 1
        if self.followed > _COMMANDS:
            self.complete = False
        return self.followed <= _COMMANDS

    def commands(self, script: str) -> Iterator[Command]:
        room = max(_MOST - self._read, 0)
        self.complete = self.complete and len(script) <= room
        self._read += min(len(script), room) + _EACH
        folded = fold(script[:room])
        variables: dict[str, str] = {}
        for piece in pieces(folded.script):
            if self.followed >= _COMMANDS:
                self.complete = False
                return
            yield from self._piece(piece, folded, variables)

    def _piece(self, piece: str, folded: Folded, variables: dict[str, str]) -> list[Command]:
        spent = self._broken >= _BROKEN or self._pieces >= _PIECES or self._parsing_s > _PARSING_S
        if spent or not is_small(piece):
            return self._hand(piece, folded, variables)
        self._pieces += 1
        begun = time.thread_time()
        root = self._tree(piece)
        found = _Walk(folded, variables).run(root) if root else None
        self._parsing_s += time.thread_time() - begun
        if found is None:
            self._broken += 1
            return self._hand(piece, folded, variables)
        return found

    def _tree(self, piece: str) -> Node | None:
        """Its root, or None for what is no valid bash."""
        text = piece.encode("utf-8", "replace")
        try:
            tree = self._parser.parse(  # the callback is for text that is read by calls only
                lambda at, _: text[at : at + _READ_BYTES],
                progress_callback=lambda _, broken: broken,
            )
        except ValueError:  # stopped
            self._parser.reset()
            return None
        if tree.root_node.has_error:
            return None
        # Again, at once: of a tree that was read by calls, the text of every node is one more call.
        return self._parser.parse(text).root_node

    def _hand(self, piece: str, folded: Folded, variables: dict[str, str]) -> list[Command]:
        room = _BY_HAND - self._by_hand
        if len(piece) > room:
            self.complete = False
        self._by_hand += min(len(piece), room)
        parts = _SEPARATOR.split(piece[:room])
        found = [_by_hand(part, folded, variables) for part in parts]
        return [command for command in found if command.argv or command.env]


def _by_hand(part: str, folded: Folded, variables: dict[str, str]) -> Command:
    """A command split at spaces, for text that is no valid bash."""
    words: list[str] = []
    env: list[tuple[str, str]] = []
    writes: list[tuple[str, bool]] = []
    stdin = None
    tokens = iter(part.split())
    for token in tokens:
        token = _expanded(folded.unfold(_unquoted(token)), variables)
        if token.startswith("<<<"):
            stdin = token[3:]
        elif redirect := _REDIRECT.match(token):
            target = redirect[2] or next(tokens, "")
            if not target.startswith("&"):
                writes.append((_unquoted(target), redirect[1] == ">>"))
        elif not words and "=" in token and token.partition("=")[0].isidentifier():
            key, _, value = token.partition("=")
            env.append((key, value))
            variables[key] = value[:1000]
        else:
            words.append(token)
    return Command(tuple(words), tuple(env), stdin, tuple(writes))


def _unquoted(token: str) -> str:
    return token.replace('"', "").replace("'", "").replace("\\", "")


def _expanded(word: str, variables: dict[str, str]) -> str:
    if "$" not in word or not variables or len(word) > 4000:
        return word
    return _VARIABLE.sub(lambda m: variables.get(m[1] or m[2], m[0]), word)


@dataclass(slots=True)
class _Walk:
    """One pass over a syntax tree in the order of the text, without recursion."""

    folded: Folded
    variables: dict[str, str]
    found: list[Command] = field(default_factory=list)
    piped: bool = False

    def run(self, root: Node) -> list[Command]:
        stack: list[_Step] = [root]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                self.piped = True
            elif isinstance(item, list):
                self._attach(item)
            elif isinstance(item, tuple):
                self._command(*item)
            else:
                stack += reversed(self._visit(item))
        return [c for c in self.found if c.argv or c.env or c.writes]

    def _visit(self, node: Node) -> list[_Step]:
        match node.type:
            case "command":
                before = self.found[-1] if self.piped and self.found else None
                self.piped = False
                return [*_substitutions(node), (node, before)]
            case "redirected_statement":
                redirects = [c for c in node.children if c.type.endswith("_redirect")]
                rest = [c for c in node.children if not c.type.endswith("_redirect")]
                return [*rest, redirects, *redirects]
            case "pipeline":
                return [("|" if c.type in ("|", "|&") else c) for c in node.children]
            case "function_definition":
                name = node.child_by_field_name("name")
                self._add(Command(("function", self._word(name) if name else "")))
            case "variable_assignment":
                self._add(Command((), (self._assignment(node),)))
            case "declaration_command":
                self._declaration(node)
                return []
            case "for_statement":
                self._loop(node)
        return list(node.children)

    def _add(self, command: Command) -> None:
        self.piped = False
        self.found.append(command)

    def _command(self, node: Node, before: Command | None) -> None:
        words: list[str] = []
        env: list[tuple[str, str]] = []
        redirects: list[Node] = []
        for child in node.children:
            if child.type == "variable_assignment":
                env.append(self._assignment(child))
            elif child.type.endswith("_redirect"):
                redirects.append(child)
            elif child.is_named or child.type not in ("(", ")"):
                words.append(self._word(child))
        stdin, upstream = (said(before), before.argv) if before else (None, ())
        self._add(Command(tuple(words), tuple(env), stdin, upstream=upstream))
        self._attach(redirects)

    def _attach(self, redirects: list[Node]) -> None:
        if not self.found:
            self.found.append(Command(()))
        last = self.found[-1]
        stdin, writes = last.stdin, list(last.writes)
        for node in redirects:
            if node.type == "herestring_redirect":
                stdin = self._word(node.children[-1])
            elif node.type == "file_redirect" and (target := self._target(node)):
                writes.append(target)
        self.found[-1] = replace(last, stdin=stdin, writes=tuple(writes))

    def _target(self, node: Node) -> tuple[str, bool] | None:
        """(path, appended) of a redirection that writes."""
        signs = [c.type for c in node.children]
        destination = node.child_by_field_name("destination")
        if destination is None or not {">", ">>", "&>", "&>>", ">|"} & set(signs):
            return None
        return self._word(destination), ">>" in signs or "&>>" in signs

    def _assignment(self, node: Node) -> tuple[str, str]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        key, text = self._word(name) if name else "", self._word(value) if value else ""
        self.variables[key] = text[:1000]
        return key, text

    def _declaration(self, node: Node) -> None:
        env = [self._assignment(c) for c in node.children if c.type == "variable_assignment"]
        self._add(Command((node.children[0].type,), tuple(env)))

    def _loop(self, node: Node) -> None:
        name, value = node.child_by_field_name("variable"), node.child_by_field_name("value")
        if name and value:
            self.variables[self._word(name)] = self._word(value)[:1000]

    def _word(self, node: Node) -> str:
        text = "".join(parts(node))
        return _expanded(self.folded.unfold(text), self.variables)


def said(command: Command) -> str | None:
    """What a command puts on its output, where its words tell: `echo`, `printf`, `cat` of a text."""
    if command.name in ("cat", "tee"):
        return command.stdin
    if command.name not in _LITERALS:
        return None
    words = [word for word in command.argv[1:] if word not in ("-e", "-n", "-ne", "-en", "--")]
    return " ".join(words).replace("\\n", "\n") + "\n"


def _substitutions(node: Node) -> list[_Step]:
    """The substitutions inside a command, which hold commands of their own."""
    found: list[_Step] = []
    stack = list(node.children)
    while stack:
        child = stack.pop()
        if child.type in ("command_substitution", "process_substitution"):
            found.append(child)
        else:
            stack += child.children
    return found
