"""Reading workflow files: what they yield, and that every mistake is told with its place and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagacity.cli.init import STARTER
from sagacity.errors import WorkflowError
from sagacity.workflow.language.reader import load, loads, read
from sagacity.workflow.model import Assert, Capture, EventType, Matches, Rule, Source
from sagacity.workflow.problems import Problem

MINUTE = 60_000_000
HEAD = """\
workflow: order
keys: order_id
sources:
  log: {format: csv, type: kind, time: at, id: number, key: order_id}
events:
  Placed: {capture: {amount: amount as decimal}}
  Paid: {capture: {amount: amount as decimal}}
  Shipped:
ends: Shipped
"""
TAIL = "expect: {Placed: once, Paid: once, Shipped: once}\n"


def _problems(text: str) -> tuple[Problem, ...]:
    return read(text, "f.yaml")[1]


def _only(text: str) -> Problem:
    problems = _problems(text)
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def _at(problem: Problem) -> str:
    assert problem.place is not None
    assert problem.place.file == "f.yaml"
    return f"{problem.place.line}:{problem.place.column}"


def test_a_workflow_is_read_whole() -> None:
    workflow = loads(
        r"""
workflow: order
version: 1.10
description: An order.
owner: fulfilment
keys: [order_id, payment_id]
sources:
  orders:
    format: jsonl
    path: events/*.jsonl.gz
    type: type
    time: time
    id: id
    seq: row
    key: data.order_id
    timezone: Europe/Berlin
    topics: [orders, '^orders\.v\d+$']
    redact: data.card.number
  payments: {format: parquet, time: paid_at, key: {order_id: order_id, payment_id: pid}}
events:
  OrderPlaced:
    source: orders
    capture:
      amount: data.amount as decimal
      total: {value: data.total, type: decimal, currency: data.currency, digits: 12, scale: 2}
      small: data.amount as decimal(9, 2)
      note: data.note
  Paid: {source: payments, where: status = 'ok', id: pid, owner: payments, capture: {amount: amount as decimal}}
begins: OrderPlaced
ends: [Paid]
timeout: 30d
unexpected: forbid
expect:
  Paid: {is: "once, within 15m of OrderPlaced", severity: critical, owner: me, name: paid}
rules:
  - response: [OrderPlaced, Paid]
    within: 15m
    when: amount > 100
    where: a.amount = b.amount
    severity: warning
    name: in time
  - existence: OrderPlaced
    n: 2
  - matches: {from: OrderPlaced, to: Paid, by: [small, amount], cardinality: one_to_many, amount: amount, tolerance: 0.01}
  - assert: sum(Paid.amount) = OrderPlaced.amount
    immediate: true
"""
    )
    assert (workflow.name, workflow.version, workflow.owner) == ("order", "1.10", "fulfilment")
    assert workflow.keys == ("order_id", "payment_id")
    assert workflow.sources["orders"] == Source(
        "jsonl", "events/*.jsonl.gz", "type", "time", "id", "row", {"order_id": "data.order_id"}, "Europe/Berlin",
        ("orders", r"^orders\.v\d+$"), ("data.card.number",),
    )  # fmt: skip
    assert workflow.sources["payments"].keys == {"order_id": "order_id", "payment_id": "pid"}
    assert workflow.events["OrderPlaced"].capture == {
        "amount": Capture("data.amount", "decimal"),
        "total": Capture("data.total", "decimal", "data.currency", 12, 2),
        "small": Capture("data.amount", "decimal", None, 9, 2),
        "note": Capture("data.note"),
    }
    assert workflow.events["Paid"] == EventType(
        source="payments",
        where="status = 'ok'",
        id="pid",
        owner="payments",
        capture={"amount": Capture("amount", "decimal")},
    )
    assert (workflow.begins, workflow.ends, workflow.timeout) == (("OrderPlaced",), ("Paid",), 30 * 1440 * MINUTE)
    assert workflow.unexpected == "forbid"
    options = {"severity": "critical", "owner": "me"}
    assert workflow.expectations == (
        Rule(template="exactly", events=("Paid",), name="paid: once", **options),  # type: ignore[arg-type]
        Rule(
            template="response",
            events=("OrderPlaced", "Paid"),
            within=15 * MINUTE,
            name="paid: within 15m of OrderPlaced",
            **options,  # type: ignore[arg-type]
        ),
        Rule(
            template="response",
            events=("OrderPlaced", "Paid"),
            within=15 * MINUTE,
            when="amount > 100",
            where="a.amount = b.amount",
            severity="warning",
            name="in time",
        ),
        Rule(template="existence", events=("OrderPlaced",), n=2),
        Matches(
            from_="OrderPlaced",
            to="Paid",
            by=("small", "amount"),
            cardinality="one_to_many",
            amount=("amount", "amount"),
            tolerance="0.01",
        ),
        Assert(predicate="sum(Paid.amount) = OrderPlaced.amount", immediate=True),
    )


def test_the_starter_has_nothing_wrong() -> None:
    assert _problems(STARTER) == ()


def test_where_there_is_one_source_event_types_need_not_name_it() -> None:
    assert {event_type.source for event_type in loads(HEAD + TAIL).events.values()} == {"log"}


def test_a_long_form_with_one_clause_goes_by_its_name_alone() -> None:
    (rule,) = loads(HEAD + "expect: {Placed: {is: once, name: placed}}").expectations
    assert rule.name == "placed"


def test_a_bound_in_one_entry_of_a_list_serves_the_others() -> None:
    text = HEAD + "expect: {Paid: [once, {is: amount = Placed.amount, severity: critical}]}"
    once, equal = loads(text).expectations
    assert isinstance(equal, Assert)
    assert (once.severity, equal.severity, equal.predicate) == ("error", "critical", "Paid.amount = Placed.amount")


def test_anchors_merges_and_own_keys_are_allowed() -> None:
    text = (
        HEAD
        + "x-mine: &late {within: 15m, severity: info}\nrules:\n  - {<<: *late, response: [Placed, Paid], severity: error}\n"
    )
    (rule,) = loads(text).expectations
    assert isinstance(rule, Rule)
    assert (rule.within, rule.severity) == (15 * MINUTE, "error")


def test_a_yaml_word_stays_the_text_that_was_written() -> None:
    text = HEAD.replace("Shipped", "NO").replace("order_id", "on") + "expect: {NO: once}"
    workflow = loads(text)
    assert "NO" in workflow.events
    assert workflow.keys == ("on",)


def test_every_mistake_is_told_at_once_in_the_order_of_their_places() -> None:
    text = HEAD + "begins: Placd\ntimeout: 30\nexpct: {}\nrules:\n  - respnse: [Placed, Paid]\n  - init: Paid\n    n: 2\n"
    problems = _problems(text)
    assert [_at(problem) for problem in problems] == ["10:9", "11:10", "12:1", "14:5", "16:5"]
    assert all(problem.hint for problem in problems)
    with pytest.raises(WorkflowError) as caught:
        loads(text, "f.yaml")
    assert caught.value.problems == problems


@pytest.mark.parametrize(
    ("text", "at", "message", "hint"),
    [
        ("", "1:1", "the file is empty", "sagacity init"),
        ("# nothing\n", "1:1", "the file is empty", "sagacity init"),
        ("- a\n", "1:1", "a workflow is a mapping", "its keys are workflow"),
        ("order\n", "1:1", "a workflow is a mapping", "its keys are workflow"),
        (HEAD + "a: 1\x00", "10:5", "a NUL byte", "UTF-8"),
        (HEAD + "\tends: x", "10:1", "a tab", "indent with spaces"),
        (HEAD + "description: a: b", "10:15", "a colon followed by a space", "quote"),
        (HEAD + "description: 'a", "10:16", "a quoted text is not closed", "closing quote"),
        (HEAD + "description: @a", "10:14", "cannot begin with this character", "quote"),
        (HEAD + "description: [a", "10:16", "not closed", "closing brackets"),
        (HEAD + "description: *a", "10:14", "there is no &a before this", "quote"),
        (HEAD + "description: &a [*a]", "10:18", "*a stands inside itself", None),
        (HEAD + "description: !a b", "10:14", "tags such as !a", "quote"),
        (HEAD + "---\na: b", "10:1", "a second document", "a file of its own"),
        (HEAD + "? [a]\n: b", "10:3", "a key is a list or a mapping", "plain name"),
        ("[" * 50_000, "1:41", "nested deeper than 40 levels", None),
        (HEAD + "ends: Paid", "10:1", "'ends' stands here a second time; the first is in line 9", "keep one"),
        (HEAD + "timeouts: 3d", "10:1", "no key 'timeouts'", "did you mean timeout?"),
        (HEAD + "timeout: 1:30", "10:10", "'1:30' is not a duration", "write 1h30m or 1m30s"),
        (HEAD + "timeout:", "10:9", "timeout is empty", "leave the key out"),
        (HEAD + "timeout: [3d]", "10:10", "timeout takes a duration, and this is a list", None),
        (HEAD + "unexpected: no", "10:13", "must be one of forbid, allow", None),
        (HEAD + "expect: once", "10:9", "expect is a mapping", "write an event type's name"),
        (HEAD + "expect: {Paid: onec}", "10:16", "not understood: onec", "did you mean once?"),
        (HEAD + "expect: {Paid: 'once, within 3 of Placed'}", "10:30", "'3' is not a duration", "say the unit"),
        (HEAD + "expect: {Paid: {severity: info}}", "10:16", "an expectation needs its text", "add is:"),
        (HEAD + "rules: {init: Placed}", "10:8", "rules is a list", "start each rule with a dash"),
        (HEAD + "rules: [init]", "10:9", "a rule is a mapping", None),
        (HEAD + "rules: [{severity: info}]", "10:9", "a rule needs a template", "known are existence"),
        (HEAD + "rules: [{initt: Placed}]", "10:10", "there is no template 'initt'", "did you mean init?"),
        (HEAD + "rules: [{init: Placed, end: Paid}]", "10:24", "a rule has one template", "a rule of its own"),
        (HEAD + "rules: [{init: Placed, n: 2}]", "10:24", "init takes no n", "existence, absence, exactly"),
        (HEAD + "rules: [{existence: Placed, n: '2'}]", "10:32", "n takes a whole number", "drop the quotes"),
        (HEAD + "rules: [{assert: 'count(Paid) = 1', immediate: yes}]", "10:48", "true or false", "write true"),
        (HEAD + "rules: [{init: Placed, severity: high}]", "10:34", "severity is 'high'", "info, warning"),
        (HEAD + "rules: [{matches: {from: Placed, by: amount}}]", "10:19", "matches needs to", "from: InvoiceIssued"),
        (HEAD.replace("as decimal", "as number", 1) + TAIL, "6:40", "no type 'number'", "did you mean decimal?"),
        (HEAD.replace("as decimal", "as text(3)", 1) + TAIL, "6:40", "text takes no digits", None),
        (HEAD.replace("amount as decimal", "", 1) + TAIL, "6:30", "amount is empty", None),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_hint(text: str, at: str, message: str, hint: str | None) -> None:
    problem = _only(text)
    assert (_at(problem), problem.severity) == (at, "error")
    assert message in problem.message
    assert (hint or "") in (problem.hint or "")


@pytest.mark.parametrize(
    ("condition", "at"),
    [
        ("amont > 1", "12:11"),
        ("'amont > 1'", "12:12"),
        ("amount > 1 AND\n      amont > 1", "13:7"),
        ('"amount > 1 AND amont > 1"', "12:27"),
        ("|\n      amount > 1 AND\n      amont > 1", "14:7"),
        (">\n      amount > 1 AND\n      amont > 1", "14:7"),
    ],
)
def test_a_mistake_inside_a_condition_is_told_to_the_character(condition: str, at: str) -> None:
    problem = _only(f"{HEAD}rules:\n  - response: [Placed, Paid]\n    when: {condition}\n")
    assert _at(problem) == at
    assert problem.path == "rules[0].when"


def test_an_event_type_that_is_not_declared_is_told_once_for_its_shorthand() -> None:
    problem = _only(HEAD + "expect:\n  Payd: once, after Placed\n")
    assert (_at(problem), problem.hint) == ("11:3", "did you mean Paid?")
    problem = _only(HEAD + "expect:\n  Paid: once, after Placd\n")
    assert _at(problem) == "11:21"


def test_a_misspelt_key_is_not_followed_by_what_it_would_have_said() -> None:
    assert _only(HEAD.replace("time: at", "tme: at") + TAIL).hint == "did you mean time?"


@pytest.mark.parametrize("time", ["", "[at]", "{at: at}"])
def test_what_a_source_states_wrongly_is_told_once_and_not_for_each_of_its_event_types(time: str) -> None:
    problem = _only(HEAD.replace("time: at", f"time: {time}") + TAIL)
    assert (problem.path, problem.place and problem.place.line) == ("sources.log.time", 4)


def test_a_source_that_is_missing_is_told_once() -> None:
    text = HEAD.replace("Paid: {", "Paid: {source: [], ") + TAIL
    assert _only(text).message == "source takes a text, and this is a list"


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "aliases expanded" in _only("\n".join(lines)).message


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    assert "more than 5,000,000" in _only(HEAD + "#" * 5_000_001).message


def test_problems_of_a_file_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    file.write_text(HEAD + "timeout: x\n")
    with pytest.raises(WorkflowError, match=f"{file}:10:10: error: timeout: 'x' is not a duration"):
        load(file)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="there is no such file"):
        load(tmp_path / "nothing.yaml")
    with pytest.raises(WorkflowError, match="this is a folder"):
        load(tmp_path)
    with pytest.raises(WorkflowError, match="cannot be read"):
        load("a\0b")


def test_a_file_that_is_not_utf_8_is_told_to_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    file.write_bytes(b"workflow: order\nowner: M\xfcller\n")
    with pytest.raises(WorkflowError) as caught:
        load(file)
    assert str(caught.value.problems[0].place) == f"{file}:2:9"


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + TAIL).encode())
    assert load(file).name == "order"
    file.write_bytes(b"\xef\xbb\xbfworkflw: order\n")
    with pytest.raises(WorkflowError, match=":1:1: error: a workflow has no key 'workflw'"):
        load(file)
