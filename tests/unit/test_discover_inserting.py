"""Lines put into a workflow file that somebody has written."""

from __future__ import annotations

import pytest

from sagacity.discover.inserting import Inserting
from sagacity.discover.proposal import joined
from sagacity.errors import UsageError

FILE = """\
# mine
workflow: order   # and this
events:
  A: {capture: {x: data.x}}   # first
  B:
  C: {}
  D:
    owner: me   # not you

expect:
  A: once
  B:
    - once
    # to be asked

# at the end
rules:
- response: [A, B]

accepted:
  A once: {held: 1, of: 1}
# the end
"""


def _text(inserting: Inserting, *kept: int) -> str:
    return joined(inserting.lines()[0], kept)


def test_nothing_put_in_leaves_the_file_as_it_is() -> None:
    assert _text(Inserting(FILE, "a.yaml")) == FILE


def test_what_no_kept_rule_needs_is_not_there() -> None:
    inserting = Inserting(FILE, "a.yaml")
    inserting.event("E:", (0,))
    inserting.captures("A", {"y": "data.y"}, (0,))
    inserting.clause("B", "B:", "after A", (0,))
    inserting.rule(["- end: B"], (0,))
    assert _text(inserting) == FILE
    assert set(FILE.splitlines()) - set(_text(inserting, 0).splitlines()) == {"  A: {capture: {x: data.x}}   # first"}


def test_each_goes_to_the_end_of_its_section_and_comments_stay_where_they_belong() -> None:
    inserting = Inserting(FILE, "a.yaml")
    inserting.event("E:", (0,))
    assert inserting.clause("B", "B:", "after A", (0,))
    assert inserting.clause("E", "E:", "once", (0,))
    assert inserting.clause("E", "E:", "after B", (1,))
    inserting.rule(["- precedence: [A, E]", "  within: 1h"], (0,))
    inserting.key("begins: A", (1,))
    text = _text(inserting, 0, 1)
    assert "    owner: me   # not you\n  E:\n" in text
    assert "    - once\n    # to be asked\n    - after A\n  E:\n    - once\n    - after B\n" in text
    assert "- response: [A, B]\n- precedence: [A, E]\n  within: 1h\n" in text
    assert "begins: A\n\nexpect:" in text or "\nbegins: A\nexpect:" in text
    assert "  E:\n    - after B\n" in _text(inserting, 1)


def test_attributes_are_captured_in_the_way_in_which_others_are() -> None:
    inserting = Inserting(FILE, "a.yaml")
    for name in "ABCD":
        inserting.captures(name, {"y": "data.y as integer"}, (0,))
    assert [line for line in _text(inserting, 0).splitlines() if "data.y" in line] == [
        "  A: {capture: {x: data.x, y: data.y as integer}}   # first",
        "  B: {capture: {y: data.y as integer}}",
        "  C: {capture: {y: data.y as integer}}",
        "    capture: {y: data.y as integer}",
    ]


def test_a_section_that_is_not_there_is_put_at_the_end() -> None:
    inserting = Inserting("workflow: order\nevents:\n  A:\n", "a.yaml")
    inserting.clause("A", "A:", "once", (0,))
    inserting.rule(["- end: A"], (1,))
    assert _text(inserting, 0, 1).endswith("  A:\n\nexpect:\n  A:\n    - once\n\nrules:\n  - end: A\n")
    assert "rules" not in _text(inserting, 0)
    assert "expect" not in _text(inserting, 1)


def test_where_the_section_of_acceptances_goes_on_is_known() -> None:
    inserting = Inserting(FILE, "a.yaml")
    inserting.rule(["- end: B"], (0,))
    lines, place = inserting.lines()
    assert place is not None
    assert lines[place - 1].text.startswith("  A once:")
    assert Inserting("workflow: order\n", "a.yaml").lines()[1] is None


def test_no_clause_is_put_beside_one_in_a_line() -> None:
    assert not Inserting(FILE, "a.yaml").clause("A", "A:", "after B", (0,))
    assert not Inserting("expect: {A: [once]}", "a.yaml").clause("A", "A:", "after B", (0,))


def test_an_empty_section_is_filled() -> None:
    inserting = Inserting("workflow: order\nrules:\naccepted:\n", "a.yaml")
    inserting.rule(["- end: A"], (0,))
    assert _text(inserting, 0) == "workflow: order\nrules:\n  - end: A\naccepted:\n"


def test_what_stands_elsewhere_is_not_added_to() -> None:
    text = "x-all: &all\n  - end: A\nx-c: &c {capture: {x: x}}\nevents:\n  A: *c\nexpect:\n  A: *all\nrules: *all\n"
    inserting = Inserting(text, "a.yaml")
    assert not inserting.clause("A", "A:", "once", (0,))
    with pytest.raises(UsageError, match="alias"):
        inserting.rule(["- end: B"], (0,))
    with pytest.raises(UsageError, match="alias"):
        inserting.captures("A", {"y": "y"}, (0,))
    inserting.event("B:", (0,))
    assert "  A: *c\n  B:\nexpect:" in _text(inserting, 0)


def test_a_section_in_brackets_is_told() -> None:
    with pytest.raises(UsageError, match="in brackets"):
        Inserting("rules: [{end: A}]", "a.yaml").rule(["- end: B"], (0,))
    with pytest.raises(UsageError, match="captured"):
        Inserting("events: {A: {capture: [x]}}", "a.yaml").captures("A", {"y": "y"}, (0,))
