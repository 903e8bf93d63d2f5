"""SQL over raw records, from its text to a record expression: parsed by sqlglot, admitted against a list, kinds settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError

from sagacity.errors import ConditionError
from sagacity.workflow.conditions.record import Call, Constant, Function, Kind, Path, RecordExpression, kind_of
from sagacity.workflow.conditions.refusal import Refusal

__all__ = ["parse"]

_DIALECT: Final = DuckDB()
_DEEPEST = 100
_MOST_DIGITS = 38


def parse(text: str) -> RecordExpression:
    """The expression that a text stands for. Raises ConditionError."""
    tree = _syntax(text)
    try:
        return _read(tree, 0)
    except RecursionError:
        raise ConditionError("the expression is nested too deep") from None


def _syntax(text: str) -> exp.Expr:
    if not text.strip():
        raise ConditionError("the expression is empty")
    try:
        text.encode()
        trees = _DIALECT.parser().parse_into(exp.Condition, _DIALECT.tokenize(text), text)
    except UnicodeEncodeError:
        raise ConditionError("the expression holds half a character (a lone surrogate)") from None
    except TokenError:
        raise ConditionError("a quote is not closed", "text stands in 'single', names in \"double\" quotes") from None
    except ParseError as error:
        raise _misread(text, error) from None
    except RecursionError:
        raise ConditionError("the expression is nested too deep") from None
    except Exception:  # whatever else a foreign parser stumbles over is the text's fault, not the caller's
        raise ConditionError("the expression cannot be read as SQL") from None
    if not trees or trees[0] is None:
        raise ConditionError("the expression is empty")
    if len(trees) > 1:
        raise ConditionError("only one expression can stand here", offset=max(text.find(";"), 0))
    return trees[0]


def _misread(text: str, error: ParseError) -> ConditionError:
    detail = error.errors[0] if error.errors else {}
    found, line, column = detail.get("highlight") or "", detail.get("line") or 1, detail.get("col") or 0
    before = sum(len(each) for each in text.splitlines(keepends=True)[: line - 1])
    offset = min(max(before + column - len(found), 0), len(text))
    message = f"`{found}` is not expected here" if found else "the expression cannot be read as SQL"
    return ConditionError(message, 'a name that is not a plain word stands in double quotes: "odd name"', offset)


def _read(node: exp.Expr, depth: int) -> RecordExpression:
    rule = _RULES.get(type(node))
    try:
        if depth > _DEEPEST:
            raise Refusal("the expression is nested too deep")
        if rule is None:
            raise _reason(node)
        read, admitted = rule
        if any(value and key not in admitted for key, value in node.args.items()):
            raise _reason(node)
        return read(node, depth + 1)
    except Refusal as refusal:
        starts = [start for each in node.walk() if isinstance(start := each.meta.get("start"), int)]
        raise ConditionError(refusal.message, refusal.hint, min(starts, default=0)) from None


def _reason(node: exp.Expr) -> Refusal:
    if type(node) in _HINTS:
        return Refusal(*_HINTS[type(node)])
    if isinstance(node, exp.Anonymous):
        return Refusal(f"there is no function {node.name}()", f"admitted are {_FUNCTIONS}")
    if isinstance(node, exp.Func):
        return Refusal(f"{node.sql_name().lower()}() is not admitted in this form", f"admitted are {_FUNCTIONS}")
    return Refusal(f"{node.key.replace('_', ' ').upper()} is not admitted over raw records")


def _path(node: exp.Expr, _depth: int) -> RecordExpression:
    return Path(tuple(_steps(node)))


def _steps(node: exp.Expr) -> list[str | int]:
    match node:
        case exp.Column(this=exp.Identifier()):
            return [part.this for part in node.parts]
        case exp.Dot(expression=exp.Identifier()):
            return [*_steps(node.this), node.expression.this]
        case exp.Bracket(expressions=[step]):
            return [*_steps(node.this), _position(step)]
    raise Refusal("a path leads through names and positions only", "such as data.items[0].sku")


def _position(step: exp.Expr) -> str | int:
    if isinstance(step, exp.Literal) and step.args.get("is_string"):
        return str(step.this)
    try:
        position = int(step.sql()) + 1  # sqlglot takes one off: this dialect counts from 1, raw records from 0
    except ValueError:
        raise Refusal("a position is a whole number", "such as items[0]") from None
    if position < 0:
        raise Refusal("positions count from 0 and are never negative", "such as items[0]")
    return position


def _literal(node: exp.Expr, _depth: int) -> RecordExpression:
    if node.args.get("is_string"):
        return Constant(str(node.this))
    try:
        value = Decimal(node.this)
    except InvalidOperation:
        raise Refusal(f"{node.this} is not a number") from None
    if len(format(value, "f").replace(".", "")) > _MOST_DIGITS:
        raise Refusal(f"{node.this} has more than {_MOST_DIGITS} digits")
    return Constant(value)


def _shared(arguments: Sequence[RecordExpression], alone: Kind = "text") -> Kind:
    """The kind in which values that meet are read; `alone` where nothing says more than `any`."""
    kinds = {kind_of(argument) for argument in arguments} - {"any"}
    if kinds == {"time", "text"} and all(
        isinstance(argument, Constant) for argument in arguments if kind_of(argument) == "text"
    ):
        return "time"
    if len(kinds) > 1:
        first, second = sorted(kinds)
        raise Refusal(f"{_A[first]} never compares with {_A[second]}", "CAST one of them: CAST(x AS decimal(18,4))")
    return kinds.pop() if kinds else alone


def _needs(kind: Kind, arguments: Sequence[RecordExpression], what: str) -> None:
    for argument in arguments:
        if kind_of(argument) not in ("any", kind):
            raise Refusal(f"{what} takes {_A[kind]}, not {_A[kind_of(argument)]}", "CAST says how a value is read")


def _compare(function: Function) -> Callable[[exp.Expr, int], RecordExpression]:
    def read(node: exp.Expr, depth: int) -> RecordExpression:
        arguments = (_read(node.this, depth), _read(node.args["expression"], depth))
        return Call(function, arguments, "boolean", _shared(arguments))

    return read


def _operator(function: Function, kind: Kind, operands: Kind, what: str) -> Callable[[exp.Expr, int], RecordExpression]:
    """An operator or function over arguments that are all read in one kind. Chains are flattened."""

    def read(node: exp.Expr, depth: int) -> RecordExpression:
        children: list[exp.Expr] = []
        chained = type(node) in (exp.And, exp.Or, exp.DPipe)
        while chained and type(node.this) is type(node):
            children.append(node.args["expression"])
            node = node.this
        if "this" in node.args and node.args.get("expression") is not None:
            children.append(node.args["expression"])
        first = [node.this] if isinstance(node.this, exp.Expr) else []
        arguments = tuple(_read(child, depth) for child in [*first, *reversed(children)])
        arguments += tuple(_read(child, depth) for child in node.args.get("expressions") or ())
        _needs(operands, arguments, what)
        return Call(function, arguments, kind, operands)

    return read


def _not(node: exp.Expr, depth: int) -> RecordExpression:
    argument = _read(node.this, depth)
    _needs("boolean", [argument], "NOT")
    return Call("not", (argument,), "boolean", "boolean")


def _negated(node: exp.Expr, call: RecordExpression) -> RecordExpression:
    return Call("not", (call,), "boolean", "boolean") if node.args.get("negate") else call


def _like(node: exp.Expr, depth: int) -> RecordExpression:
    arguments = (_read(node.this, depth), _read(node.args["expression"], depth))
    _needs("text", arguments, "LIKE")
    return _negated(node, Call("like", arguments, "boolean", "text"))


def _in(node: exp.Expr, depth: int) -> RecordExpression:
    if not node.args.get("expressions"):
        raise _reason(node)
    arguments = tuple(_read(child, depth) for child in (node.this, *node.args["expressions"]))
    return Call("in", arguments, "boolean", _shared(arguments))


def _between(node: exp.Expr, depth: int) -> RecordExpression:
    value, low, high = (_read(node.args[key], depth) for key in ("this", "low", "high"))
    operands = _shared((value, low, high))
    above, below = Call(">=", (value, low), "boolean", operands), Call("<=", (value, high), "boolean", operands)
    return Call("and", (above, below), "boolean", "boolean")


def _is(node: exp.Expr, depth: int) -> RecordExpression:
    if not isinstance(node.args["expression"], exp.Null):
        raise Refusal("IS is followed by NULL or NOT NULL", "write x = TRUE for x IS TRUE")
    return Call("is_null", (_read(node.this, depth),), "boolean", "any")


def _text_function(function: Function, *keys: str) -> Callable[[exp.Expr, int], RecordExpression]:
    """A function over a text and constants: positions (numbers from 1) or texts."""

    def read(node: exp.Expr, depth: int) -> RecordExpression:
        value = _read(node.this, depth)
        _needs("text", [value], function.upper())
        rest: list[RecordExpression] = []
        for key in keys:
            if (child := node.args.get(key)) is None:
                continue
            argument = _read(child, depth)
            whole = isinstance(argument, Constant) and isinstance(argument.value, Decimal) and argument.value % 1 == 0
            if key in _POSITIONS and not (whole and cast(Constant, argument).value >= 1):  # type: ignore[operator]
                raise Refusal(f"{function.upper()} takes whole numbers from 1 here")
            if key not in _POSITIONS:
                _needs("text", [argument], function.upper())
            rest.append(argument)
        return Call(function, (value, *rest), "text", "text")

    return read


def _coalesce(node: exp.Expr, depth: int) -> RecordExpression:
    arguments = tuple(_read(child, depth) for child in (node.this, *node.args.get("expressions", ())))
    kind = _shared(arguments, "any")
    return Call("coalesce", arguments, kind, kind)


def _case(node: exp.Expr, depth: int) -> RecordExpression:
    conditions: list[RecordExpression] = []
    values: list[RecordExpression] = []
    subject = _read(node.this, depth) if node.this is not None else None
    for branch in node.args["ifs"]:
        condition = _read(branch.this, depth)
        if subject is not None:
            condition = Call("=", (subject, condition), "boolean", _shared((subject, condition)))
        _needs("boolean", [condition], "WHEN")
        conditions.append(condition)
        values.append(_read(branch.args["true"], depth))
    default = node.args.get("default")
    values.append(_read(default, depth) if default is not None else Constant(None))
    kind = _shared(values, "any")
    pairs = [each for pair in zip(conditions, values, strict=False) for each in pair]
    return Call("case", (*pairs, values[-1]), kind, kind)


def _cast(node: exp.Expr, depth: int) -> RecordExpression:
    argument, target = _read(node.this, depth), node.args["to"]
    if target.this in _DECIMALS:
        digits, scale = ([int(each.name) for each in target.expressions] + [0])[:2] if target.expressions else (18, 4)
        if not (1 <= digits <= _MOST_DIGITS and 0 <= scale <= digits):
            raise Refusal(
                f"decimal({digits},{scale}) does not exist", f"at most {_MOST_DIGITS} digits, of which scale after the point"
            )
        return Call("cast", (argument,), "number", "any", f"decimal({digits},{scale})")
    if target.this not in _CASTS:
        raise Refusal(
            f"CAST to {target.sql().lower()} is not admitted", "text, integer, decimal(p,s), boolean, timestamp are"
        )
    to, kind = _CASTS[target.this]
    return Call("cast", (argument,), kind, "any", to)


_A: dict[str, str] = {"text": "text", "number": "a number", "boolean": "a boolean", "time": "a time", "any": "a value"}
_POSITIONS = frozenset({"start", "length", "part_index"})
_FUNCTIONS = "CONCAT, LOWER, UPPER, TRIM, SUBSTRING, REPLACE, SPLIT_PART, COALESCE, CASE and CAST"
_TYPE = exp.DType
_DECIMALS = frozenset({_TYPE.DECIMAL})
_CASTS: dict[exp.DType, tuple[str, Kind]] = {
    **dict.fromkeys((_TYPE.TEXT, _TYPE.VARCHAR, _TYPE.CHAR), ("text", "text")),
    **dict.fromkeys((_TYPE.INT, _TYPE.BIGINT, _TYPE.SMALLINT, _TYPE.TINYINT), ("integer", "number")),
    _TYPE.BOOLEAN: ("boolean", "boolean"),
    **dict.fromkeys((_TYPE.TIMESTAMP, _TYPE.TIMESTAMPNTZ, _TYPE.TIMESTAMPTZ, _TYPE.DATETIME), ("time", "time")),
}

_QUERY = ("sub-queries are not admitted", None)
_HINTS: dict[type[exp.Expr], tuple[str, str | None]] = {
    exp.Abs: ("`@` is an operator here", 'put a name that holds it in double quotes: "@timestamp"'),
    exp.Parameter: ("`$` and `@` begin no name here", 'put the name in double quotes: "@timestamp"'),
    exp.Div: ("division is not exact", "multiply instead: amount * 0.01"),
    exp.IntDiv: ("division is not exact", "multiply instead: amount * 0.01"),
    exp.ILike: ("ILIKE is not admitted", "write LOWER(x) LIKE 'a%'"),
    exp.TryCast: ("TRY_CAST is not admitted", "write CAST"),
    exp.Trim: ("TRIM takes one argument and strips spaces from both ends", None),
    exp.JSONExtract: ("`->` and json functions are not admitted", "a path leads into the record: data.order.id"),
    exp.JSONExtractScalar: ("`->>` and json functions are not admitted", "a path leads into the record: data.order.id"),
    exp.In: ("IN takes a list in parentheses", "such as status IN ('paid', 'refunded')"),
    exp.Select: _QUERY,
    exp.Subquery: _QUERY,
    exp.Exists: _QUERY,
    exp.Star: ("`*` is not a field", None),
}

_COMPARISONS: dict[type[exp.Expr], Function] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip

_Rule = tuple["Callable[[exp.Expr, int], RecordExpression]", frozenset[str]]
_TWO = frozenset({"this", "expression"})
_LIST = frozenset({"this", "expressions"})


def _rule(read: Callable[[exp.Expr, int], RecordExpression], *admitted: str) -> _Rule:
    return read, frozenset(admitted)


_RULES: dict[type[exp.Expr], _Rule] = {
    exp.Column: _rule(_path, "this", "table", "db", "catalog"),
    exp.Dot: (_path, _TWO),
    exp.Bracket: (_path, _LIST),
    exp.Literal: _rule(_literal, "this", "is_string"),
    exp.Boolean: _rule(lambda node, _: Constant(bool(node.this)), "this"),
    exp.Null: _rule(lambda _node, _depth: Constant(None)),
    exp.Paren: _rule(lambda node, depth: _read(node.this, depth), "this"),
    **{kind: (_compare(function), _TWO) for kind, function in _COMPARISONS.items()},
    exp.And: (_operator("and", "boolean", "boolean", "AND"), _TWO),
    exp.Or: (_operator("or", "boolean", "boolean", "OR"), _TWO),
    exp.Not: _rule(_not, "this"),
    exp.Is: (_is, _TWO),
    exp.In: (_in, _LIST),
    exp.Like: _rule(_like, "this", "expression", "negate"),
    exp.Between: _rule(_between, "this", "low", "high"),
    exp.DPipe: _rule(_operator("||", "text", "text", "||"), "this", "expression", "safe"),
    exp.Concat: _rule(_operator("concat", "text", "text", "CONCAT"), "expressions", "safe", "coalesce"),
    exp.Add: (_operator("+", "number", "number", "+"), _TWO),
    exp.Sub: (_operator("-", "number", "number", "-"), _TWO),
    exp.Mul: (_operator("*", "number", "number", "*"), _TWO),
    exp.Neg: _rule(_operator("negate", "number", "number", "-"), "this"),
    exp.Lower: _rule(_text_function("lower"), "this"),
    exp.Upper: _rule(_text_function("upper"), "this"),
    exp.Trim: _rule(_text_function("trim"), "this"),
    exp.Substring: _rule(_text_function("substring", "start", "length"), "this", "start", "length"),
    exp.Replace: _rule(_text_function("replace", "expression", "replacement"), "this", "expression", "replacement"),
    exp.SplitPart: _rule(_text_function("split_part", "delimiter", "part_index"), "this", "delimiter", "part_index"),
    exp.Coalesce: _rule(_coalesce, "this", "expressions", "is_nvl", "is_null"),
    exp.Case: _rule(_case, "this", "ifs", "default"),
    exp.Cast: _rule(_cast, "this", "to"),
}  # fmt: skip
