"""The everyday shorthand: `once, within 15m of OrderPlaced, amount = OrderPlaced.amount`.

A text is a list of clauses, separated by commas. Each clause says something about the event type it is written for (X)
and becomes one expectation:

| clause | becomes |
|---|---|
| `once`, `twice`, `N times`, `exactly N times` | exactly(n, X) |
| `at least once`, `at least N times` | existence(n, X) |
| `at most once`, `at most N times` | absence(n + 1, X) |
| `never` | absence(1, X) |
| `optional` | nothing |
| `within D of Y` | response(Y, X) within D |
| `after Y` | precedence(Y, X) |
| `before Y` | precedence(X, Y) |
| `directly after Y` | chain_precedence(Y, X) |
| `not after Y` | not_response(Y, X) |
| `attr OP Y.attr`, `attr OP literal` | an assert that holds for every X |

OP is one of `=`, `<>`, `<`, `<=`, `>`, `>=`. A name that is not a plain word stands in double quotes, a text in single
quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from sagacity.errors import SagacityError
from sagacity.workflow.durations import format_duration, parse_duration
from sagacity.workflow.model import Assert, Expectation, Rule
from sagacity.workflow.spelling import did_you_mean

__all__ = ["GRAMMAR", "Clause", "ShorthandError", "clauses", "expectations", "quoted"]

GRAMMAR = (
    "once, twice, N times, exactly N times, at least N times, at most N times, never, optional, "
    "within 15m of Y, after Y, before Y, directly after Y, not after Y, amount = Y.amount, amount > 0"
)
"""What is understood, for messages."""


class ShorthandError(SagacityError):
    """A shorthand that is not understood. `offset` is where in the text, in characters."""

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint or f"understood are: {GRAMMAR}")
        self.offset = offset


class Clause(msgspec.Struct, frozen=True):
    """One clause: its words, where it starts in the text, and what it says.

    `says` yields the expectation, given the event type and whether at most one such event is expected; None for a clause
    that expects nothing. `most` is the bound that the clause puts on the number of events, where it puts one.
    """

    text: str
    offset: int
    says: Callable[[str, bool], Expectation | None]
    most: int | None = None


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    offset: int


_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<comma>,)
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<literal>'(?:[^']|'')*')
      | (?P<op><>|<=|>=|!=|==|=|<|>)
      | (?P<dot>\.)
      | (?P<number>[-+]?\d+(?:\.\d+)?(?![\w.]))
      | (?P<word>\d[\d.]*[A-Za-zµ]\w*|[^\s,"'<>=!.]+)
    """,
    re.VERBOSE,
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {
    "all", "alter", "and", "any", "as", "between", "by", "call", "case", "connect_by_root", "create", "cross",
    "current_catalog", "current_date", "current_time", "current_timestamp", "current_user", "desc", "distinct", "drop",
    "else", "end", "except", "execute", "exists", "explain", "false", "fetch", "for", "force", "from", "glob", "grant",
    "group", "having", "if", "ilike", "in", "inner", "insert", "install", "intersect", "interval", "into", "is",
    "join", "lateral", "left", "like", "limit", "localtime", "localtimestamp", "map", "not", "notnull", "null",
    "offset", "on", "only", "optimize", "or", "order", "outer", "partitioned_by", "positional", "prepare", "qualify",
    "regexp", "rename", "reset", "returning", "revoke", "right", "rlike", "rollback", "select", "session_user",
    "summarize", "table", "tablesample", "then", "true", "uncache", "union", "using", "vacuum", "values", "when",
    "where", "with", "xor",
}  # fmt: skip
_COUNTS = {"once": 1, "twice": 2, "thrice": 3}
_KEYWORDS = ("once", "twice", "exactly", "at", "never", "optional", "within", "after", "before", "directly", "not", "times")


def quoted(name: str) -> str:
    """An event type's or attribute's name as conditions write it: in double quotes where it is not a plain word."""
    plain = _PLAIN.fullmatch(name) and name.lower() not in _RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of a shorthand. Raises ShorthandError at the first that is not understood."""
    parser = _Parser(text)
    found = [parser.clause()]
    while parser.accept("comma"):
        found.append(parser.clause())
    return tuple(found)


def expectations(event: str, text: str) -> tuple[Expectation, ...]:
    """What a shorthand for an event type expects. Raises ShorthandError.

    An attribute's comparison reads the one event where a clause bounds their number by one, else every event's.
    """
    said = clauses(text)
    single = any(clause.most == 1 for clause in said)
    made = (clause.says(event, single) for clause in said)
    return tuple(expectation for expectation in made if expectation is not None)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.position = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.position]

    def take(self) -> _Token:
        token = self.here
        self.position += token.kind != "end"
        return token

    def accept(self, kind: str) -> bool:
        if self.here.kind == kind:
            self.take()
            return True
        return False

    def word(self, *wanted: str) -> bool:
        """Takes the words wanted if they come next."""
        following = self.tokens[self.position : self.position + len(wanted)]
        if [token.text.lower() for token in following if token.kind == "word"] != list(wanted):
            return False
        self.position += len(wanted)
        return True

    def clause(self) -> Clause:
        start = self.here
        if start.kind in ("comma", "end"):
            raise ShorthandError("a clause is missing here", start.offset)
        says, most = self.comparison() if self.compares() else self.phrase()
        if self.here.kind not in ("comma", "end"):
            hint = "separate clauses with commas" if self.here.text.lower() in _KEYWORDS else None
            raise ShorthandError(f"not understood: {self.here.text}", self.here.offset, hint)
        text = " ".join(self.text[start.offset : self.here.offset].split())
        return Clause(text, start.offset, says, most)

    def compares(self) -> bool:
        """Whether a dotted name and then an operator come next."""
        ahead = self.position
        while self.tokens[ahead].kind in ("word", "quoted", "dot"):
            ahead += 1
        names = [token.kind for token in self.tokens[self.position : ahead]]
        return self.tokens[ahead].kind == "op" and names.count("dot") * 2 + 1 == len(names)

    def phrase(self) -> tuple[Callable[[str, bool], Expectation | None], int | None]:
        if self.word("optional"):
            return (lambda _event, _single: None), None
        if self.word("never"):
            return _counted("absence", 1, "never"), 0
        if self.word("at", "least"):
            n = self.number(1)
            return _counted("existence", n, f"at least {_times(n)}"), None
        if self.word("at", "most"):
            n = self.number(0)
            return _counted("absence", n + 1, f"at most {_times(n)}"), n
        if self.word("exactly") or self.here.kind == "number" or self.here.text.lower() in _COUNTS:
            n = self.number(1)
            return _counted("exactly", n, _times(n)), n
        if self.word("within"):
            return self.within(), None
        for words, template, forward in _ORDERS:
            if self.word(*words):
                return _related(template, self.event(), " ".join(words), forward), None
        token = self.here
        suggestion = did_you_mean(token.text, _KEYWORDS)
        hint = f"did you mean {suggestion}? understood are: {GRAMMAR}" if suggestion else None
        raise ShorthandError(f"not understood: {token.text}", token.offset, hint)

    def number(self, least: int) -> int:
        token = self.take()
        if token.text.lower() in _COUNTS:
            return _COUNTS[token.text.lower()]
        if token.kind != "number" or not token.text.isdigit():
            raise ShorthandError(
                "a number of times is missing here", token.offset, "write once, twice, or a number such as 3 times"
            )
        if int(token.text) < least:
            raise ShorthandError("a number of times is at least 1", token.offset, "write never for none")
        if int(token.text) > 1_000_000:
            raise ShorthandError("more than a million times", token.offset, "write a smaller number")
        if not (self.word("times") or self.word("time")):
            raise ShorthandError("the word times is missing here", self.here.offset, f"write {token.text} times")
        return int(token.text)

    def within(self) -> Callable[[str, bool], Expectation | None]:
        start = self.here.offset
        while self.here.kind in ("word", "number", "dot") and self.here.text.lower() != "of":
            self.take()
        text = self.text[start : self.here.offset].strip()
        try:
            within = parse_duration(text)
        except SagacityError as error:
            raise ShorthandError(error.message, start, error.hint) from None
        if not self.word("of"):
            raise ShorthandError(
                "within says of what", self.here.offset, f"write within {text} of Y, where Y is an event type"
            )
        other = self.event()
        said = f"within {format_duration(within)} of {other}"
        return lambda event, _single: Rule(template="response", events=(other, event), within=within, name=f"{event} {said}")

    def event(self) -> str:
        path, offset = self.path()
        if not path:
            raise ShorthandError("the name of an event type is missing here", offset)
        return ".".join(path)

    def path(self) -> tuple[list[str], int]:
        """A dotted name, and where it starts; empty where none comes."""
        start, parts = self.here.offset, []
        while self.here.kind in ("word", "quoted"):
            token = self.take()
            parts.append(token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text)
            if not self.accept("dot"):
                return parts, start
        if parts:
            hint = 'write a name that is not a plain word in double quotes, such as "order.2"'
            raise ShorthandError("a name is missing after the dot", self.here.offset, hint)
        return [], start

    def comparison(self) -> tuple[Callable[[str, bool], Expectation | None], int | None]:
        left, offset = self.path()
        if len(left) != 1:
            hint = f"write {left[-1]} alone" if left else None
            raise ShorthandError("the left side of a comparison is an attribute of this event itself", offset, hint)
        sign = self.take()
        operator = {"==": "=", "!=": "<>"}.get(sign.text, sign.text)
        right = self.value()
        return _compared(left[0], operator, right, sign.offset), None

    def value(self) -> str:
        token = self.here
        if token.kind in ("number", "literal"):
            return self.take().text
        if self.word("true") or self.word("false"):
            return token.text.lower()
        path, offset = self.path()
        if len(path) < 2:
            hint = "write Y.attr, a number, or a text in single quotes"
            raise ShorthandError("the right side is an attribute of an event type, or a literal", offset, hint)
        return f"{quoted('.'.join(path[:-1]))}.{quoted(path[-1])}"


_ORDERS = (
    (("directly", "after"), "chain_precedence", False),
    (("not", "after"), "not_response", False),
    (("after",), "precedence", False),
    (("before",), "precedence", True),
)
_EVERY = {"=": ("min", "max"), "<": ("max",), "<=": ("max",), ">": ("min",), ">=": ("min",)}


def _counted(template: str, n: int, said: str) -> Callable[[str, bool], Expectation | None]:
    return lambda event, _single: Rule(template=template, events=(event,), n=n, name=f"{event} {said}")


def _related(template: str, other: str, said: str, forward: bool) -> Callable[[str, bool], Expectation | None]:
    def make(event: str, _single: bool) -> Expectation:
        events = (event, other) if forward else (other, event)
        return Rule(template=template, events=events, name=f"{event} {said} {other}")

    return make


def _compared(attribute: str, operator: str, right: str, offset: int) -> Callable[[str, bool], Expectation | None]:
    def make(event: str, single: bool) -> Expectation:
        x, name = f"{quoted(event)}.{quoted(attribute)}", f"{event}.{attribute} {operator} {right}"
        if single:
            return Assert(predicate=f"{x} {operator} {right}", immediate=True, name=name)
        if operator not in _EVERY:
            hint = f"say that {event} comes once, or write a rule with a where condition"
            raise ShorthandError(f"{operator} cannot be said of several events at once", offset, hint)
        bounds = [f"{function}({x}) {operator} {right}" for function in _EVERY[operator]]
        predicate = " AND ".join([*bounds, f"count({x}) = count({quoted(event)})"])
        return Assert(predicate=predicate, immediate=True, name=name)

    return make


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def _tokens(text: str) -> Iterable[_Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            unclosed = {'"': "a name in double quotes is not closed", "'": "a text in single quotes is not closed"}
            message = unclosed.get(text[position], f"not understood: {text[position]}")
            raise ShorthandError(message, position, "add the closing quote" if text[position] in unclosed else None)
        if match.lastgroup != "space":
            yield _Token(match.lastgroup or "", match[0], position)
        position = match.end()
    yield _Token("end", "the end", len(text))
