"""Conditions from their text: parsed as SQL, admitted against a list, and typed.

Admitted are AND, OR, NOT, comparisons, `+ - *`, IN (constants), BETWEEN, IS [NOT] NULL, LIKE, LOWER, UPPER, TRIM, LENGTH,
ABS, COALESCE, TRUE, FALSE, NULL, numbers, text in single quotes, `INTERVAL '3 days'` and `TIMESTAMP '2026-11-01T00:00Z'`;
in an assert also COUNT, FIRST, LAST, SUM, MIN and MAX. A text literal that meets a time is a time. Names that are not plain
identifiers stand in double quotes. Everything else is turned down with a reason: nothing may round, depend on the calendar
or on where it runs, or reach beyond the case.

What the operators mean is written in `sagacity.workflow.conditions.condition`, what may be combined in
`sagacity.workflow.conditions.operations`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, cast

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError

from sagacity.errors import ConditionError
from sagacity.workflow.conditions import operations
from sagacity.workflow.conditions.condition import AggregateFunction, Constant, Expression, Operator
from sagacity.workflow.conditions.literals import instant, interval, number
from sagacity.workflow.conditions.refusal import Refusal
from sagacity.workflow.conditions.scopes import CaseScope, EventScope, PairScope, Scope
from sagacity.workflow.conditions.turned_down import reason
from sagacity.workflow.model import Workflow

__all__ = ["ConditionError", "parse_assert", "parse_when", "parse_where"]


def parse_when(text: str, workflow: Workflow, event_type: str) -> Expression:
    """A condition on one event of the given type. Names are its attributes, bare or as `EventType.attribute`.

    Raises ConditionError.
    """
    return _parse(text, workflow, EventScope(workflow, event_type))


def parse_where(text: str, workflow: Workflow, a: str, b: str) -> Expression:
    """A condition on a template's two events. Names are `a.x` and `b.x`, or go by the event types where these differ.

    Raises ConditionError.
    """
    return _parse(text, workflow, PairScope(workflow, a, b))


def parse_assert(text: str, workflow: Workflow) -> Expression:
    """A condition over a case: `count(X)`, and `count`, `first`, `last`, `sum`, `min`, `max` of `X.attr`.

    `X.attr` alone is the first X's. Raises ConditionError.
    """
    return _parse(text, workflow, CaseScope(workflow))


_DIALECT: Final = DuckDB()
_DEEPEST = 100


def _parse(text: str, workflow: Workflow, scope: Scope) -> Expression:
    try:
        tree = _syntax(text)
        return _Reader(scope).whole(tree)
    except ConditionError as error:
        if (hint := _unquoted(text, workflow)) is not None:
            raise ConditionError(error.message, hint, error.offset) from None
        raise


@lru_cache(maxsize=2048)  # checks, plan and judge read the same texts; nothing alters a tree
def _syntax(text: str) -> exp.Expr:
    if "\0" in text:
        raise ConditionError("the condition holds a NUL character", offset=text.index("\0"))
    try:
        text.encode()
        trees = _DIALECT.parser().parse_into(exp.Condition, _DIALECT.tokenize(text), text)
    except UnicodeEncodeError:
        raise ConditionError("the condition holds half a character (a lone surrogate)") from None
    except TokenError:
        raise ConditionError(
            "a quote or comment is not closed", "text stands in 'single', names in \"double\" quotes"
        ) from None
    except ParseError as error:
        raise _misread(text, error) from None
    except RecursionError:
        raise ConditionError("the condition is nested too deep") from None
    except Exception:  # whatever else a foreign parser stumbles over is the text's fault, not the caller's
        raise ConditionError("the condition cannot be read as SQL") from None
    if not trees or trees[0] is None:
        raise ConditionError("the condition is empty")
    if len(trees) > 1:
        raise ConditionError("only one condition can stand here", "join conditions with AND or OR", max(text.find(";"), 0))
    return trees[0]


def _misread(text: str, error: ParseError) -> ConditionError:
    detail = error.errors[0] if error.errors else {}
    found, line, column = detail.get("highlight") or "", detail.get("line") or 1, detail.get("col") or 0
    before = sum(len(each) for each in text.splitlines(keepends=True)[: line - 1])
    offset = min(max(before + column - len(found), 0), len(text))
    description = str(detail.get("description", ""))
    if missing := re.match(r"Expecting (\S+)", description):
        return ConditionError(f"`{missing[1]}` is missing after `{found}`", offset=offset)
    if description.startswith("Required keyword"):
        return ConditionError(f"something is missing at `{found}`", offset=offset)
    return ConditionError(
        f"`{found}` is not expected here" if found else "the condition cannot be read as SQL", offset=offset
    )


_PLAIN_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def _unquoted(text: str, workflow: Workflow) -> str | None:
    """What to say where a name that needs double quotes has none."""
    names = {*workflow.events, *(name for event in workflow.events.values() for name in event.capture)}
    for name in sorted(names, key=lambda name: (-len(name), name)):
        if _PLAIN_NAME.fullmatch(name) is None and name in text and f'"{name}"' not in text and f"'{name}'" not in text:
            return f'write "{name}" in double quotes'
    return None


class _Reader:
    """Turns one syntax tree into a typed expression, or refuses."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.depth = 0

    def whole(self, tree: exp.Expr) -> Expression:
        expression = self.read(tree)
        try:
            return operations.condition(expression)
        except Refusal as refusal:
            raise _placed(refusal, tree) from None

    def read(self, node: exp.Expr) -> Expression:
        rule = _RULES.get(type(node))
        self.depth += 1
        try:
            if rule is None or self.depth > _DEEPEST:
                raise Refusal("the condition is nested too deep") if rule else reason(node)
            read, arguments = rule
            for key, value in node.args.items():
                if value and key not in arguments:
                    raise reason(node)
            return read(self, node)
        except Refusal as refusal:
            raise _placed(refusal, node) from None
        finally:
            self.depth -= 1

    def listed(self, node: exp.Expr) -> list[Expression]:
        return [self.read(each) for each in node.args.get("expressions") or ()]

    def chain(self, node: exp.Expr) -> list[Expression]:
        """The operands of `x AND y AND z`, which parses as a deep tree."""
        kind, operands = type(node), []
        while type(node) is kind:
            operands.append(self.read(node.args["expression"]))
            node = node.this
        return [self.read(node), *reversed(operands)]

    def both(self, node: exp.Expr) -> tuple[Expression, Expression]:
        return self.read(node.this), self.read(node.args["expression"])

    def between(self, node: exp.Expr) -> Expression:
        value, low, high = self.read(node.this), self.read(node.args["low"]), self.read(node.args["high"])
        return operations.all_of([operations.compare(">=", value, low), operations.compare("<=", value, high)])

    def member(self, node: exp.Expr) -> Expression:
        if not node.args.get("expressions"):
            raise Refusal("IN takes a list of constants in parentheses", "such as status IN ('paid', 'refunded')")
        return operations.member(self.read(node.this), self.listed(node))

    def like(self, node: exp.Expr) -> Expression:
        result = operations.like(*self.both(node))
        return operations.inverse(result) if node.args.get("negate") else result

    def null_test(self, node: exp.Expr) -> Expression:
        if not isinstance(node.args["expression"], exp.Null):
            raise Refusal(
                "IS is followed by NULL or NOT NULL", "write `x` for x IS TRUE, `NOT x` for x IS FALSE, = for equality"
            )
        return operations.is_null(self.read(node.this))

    def name(self, node: exp.Expr) -> Expression:
        parts = _parts(node)
        try:
            return self.scope.name(parts)
        except Refusal as refusal:
            if len(parts) == 1 and node.this.args.get("quoted"):
                raise Refusal(
                    refusal.message, f"double quotes are for names: text is '{parts[0]}', in single quotes"
                ) from None
            raise

    def aggregate(self, node: exp.Expr) -> Expression:
        function = cast(AggregateFunction, type(node).__name__.lower())
        if not isinstance(node.this, exp.Column | exp.Dot):
            if function == "count" and isinstance(node.this, exp.Star):
                raise Refusal("count(*) does not say of which event type", "write count(X)")
            raise Refusal(f"{function}() takes the attribute of an event type", f"such as {function}(X.attr)")
        return self.scope.aggregate(function, _parts(node.this))

    def literal(self, node: exp.Expr) -> Expression:
        return Constant(node.this, "text") if node.args.get("is_string") else number(node.this)

    def interval(self, node: exp.Expr) -> Expression:
        amount, unit = node.this, node.args.get("unit")
        if not isinstance(amount, exp.Literal) or not isinstance(unit, exp.Var | None):
            raise Refusal("an interval is one constant", "such as INTERVAL '3 days'; multiply it to vary it")
        return interval(amount.this, unit.this if unit else "")

    def cast(self, node: exp.Expr) -> Expression:
        literal, kind = node.this, cast(exp.DataType, node.args["to"])
        if not isinstance(literal, exp.Literal) or not literal.args.get("is_string") or kind.this not in _INSTANTS:
            raise reason(node)
        return instant(literal.this)

    def binary(self, node: exp.Expr) -> Expression:
        return operations.compare(_COMPARISONS[type(node)], *self.both(node))


def _parts(node: exp.Expr) -> tuple[str, ...]:
    """The parts of a name such as `com.example.placed.amount`."""
    parts: list[str] = []
    while isinstance(node, exp.Dot):
        if not isinstance(node.expression, exp.Identifier):
            raise reason(node)
        parts.append(node.expression.this)
        node = node.this
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        raise reason(node)
    return (*(part.this for part in node.parts), *reversed(parts))


def _placed(refusal: Refusal, node: exp.Expr) -> ConditionError:
    starts = [start for each in node.walk() if isinstance(start := each.meta.get("start"), int)]
    return ConditionError(refusal.message, refusal.hint, min(starts, default=0))


_INSTANTS = frozenset({exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPLTZ})

_COMPARISONS: dict[type[exp.Expr], Operator] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip

_Rule = tuple[Callable[[_Reader, exp.Expr], Expression], frozenset[str]]
_ONE = frozenset({"this"})
_TWO = frozenset({"this", "expression"})

_RULES: dict[type[exp.Expr], _Rule] = {
    **dict.fromkeys(_COMPARISONS, (_Reader.binary, _TWO)),
    **dict.fromkeys((exp.First, exp.Last, exp.Sum, exp.Min, exp.Max), (_Reader.aggregate, _ONE)),
    exp.Count: (_Reader.aggregate, _ONE | {"big_int"}),
    exp.And: (lambda reader, node: operations.all_of(reader.chain(node)), _TWO),
    exp.Or: (lambda reader, node: operations.any_of(reader.chain(node)), _TWO),
    exp.Not: (lambda reader, node: operations.inverse(reader.read(node.this)), _ONE),
    exp.Paren: (lambda reader, node: reader.read(node.this), _ONE),
    exp.Add: (lambda reader, node: operations.arithmetic("+", *reader.both(node)), _TWO),
    exp.Sub: (lambda reader, node: operations.arithmetic("-", *reader.both(node)), _TWO),
    exp.Mul: (lambda reader, node: operations.arithmetic("*", *reader.both(node)), _TWO),
    exp.Neg: (lambda reader, node: operations.negate(reader.read(node.this)), _ONE),
    exp.Abs: (lambda reader, node: operations.size(reader.read(node.this)), _ONE),
    exp.Lower: (lambda reader, node: operations.spelling("lower", reader.read(node.this)), _ONE),
    exp.Upper: (lambda reader, node: operations.spelling("upper", reader.read(node.this)), _ONE),
    exp.Trim: (lambda reader, node: operations.spelling("trim", reader.read(node.this)), _ONE),
    exp.Length: (lambda reader, node: operations.length(reader.read(node.this)), _ONE),
    exp.Coalesce: (lambda reader, node: operations.coalesce([reader.read(node.this), *reader.listed(node)]),
                   frozenset({"this", "expressions", "is_nvl", "is_null"})),
    exp.Between: (_Reader.between, frozenset({"this", "low", "high"})),
    exp.In: (_Reader.member, frozenset({"this", "expressions", "field", "unnest"})),
    exp.Like: (_Reader.like, _TWO | {"negate"}),
    exp.Is: (_Reader.null_test, _TWO),
    exp.Column: (_Reader.name, frozenset({"this", "table", "db", "catalog"})),
    exp.Dot: (_Reader.name, _TWO),
    exp.Literal: (_Reader.literal, frozenset({"this", "is_string"})),
    exp.Boolean: (lambda _, node: Constant(bool(node.this), "boolean"), _ONE),
    exp.Null: (lambda _, __: Constant(None, "text"), frozenset()),
    exp.Interval: (_Reader.interval, frozenset({"this", "unit", "fraction_in_string"})),
    exp.Cast: (_Reader.cast, _TWO | {"to"}),
}  # fmt: skip
