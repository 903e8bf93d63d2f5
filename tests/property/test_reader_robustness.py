"""Law: whatever a text holds, reading it yields a workflow or problems with places, and nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sagacity.cli.init import STARTER
from sagacity.workflow.language.reader import read
from sagacity.workflow.language.shorthand import ShorthandError, expectations
from sagacity.workflow.model import Workflow

_PIECES = st.one_of(
    st.sampled_from(STARTER.split("\n")),
    st.sampled_from(STARTER.split()),
    st.sampled_from(
        ("\t", ": ", "- ", "[", "]", "{", "}", "'", '"', "&a", "*a", "|", ">", "!", "%", "\n", "\0", "<<: ", "🙂", "\ud800")
    ),
    st.text(max_size=5),
)


@st.composite
def _spoilt(draw: st.DrawFn) -> str:
    """The starter with a few pieces replaced, taken out or put in."""
    text = STARTER
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(_PIECES) + text[start + draw(st.sampled_from((0, 1, 2, 8, 40))) :]
    return text


@settings(max_examples=400, deadline=None)
@given(_spoilt())
def test_a_spoilt_file_yields_a_workflow_or_problems_with_places(text: str) -> None:
    workflow, problems = read(text, "f")
    errors = [problem for problem in problems if problem.severity == "error"]
    assert isinstance(workflow, Workflow) == (not errors)
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    for problem in problems:
        assert problem.place is not None
        assert 1 <= problem.place.line <= lines
        assert problem.place.column >= 1
        assert problem.message


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            (
                "once",
                "twice",
                "at",
                "least",
                "most",
                "within",
                "15m",
                "of",
                "after",
                "Y",
                ",",
                ".",
                "=",
                "<>",
                "3",
                "times",
                "'x'",
                '"',
            )
        )
        | st.text(max_size=3)
    ).map(" ".join)
)
def test_any_shorthand_is_understood_or_refused_at_a_place_in_it(text: str) -> None:
    assert 0 <= _refused_at(text) <= len(text)


def _refused_at(text: str) -> int:
    try:
        expectations("X", text)
    except ShorthandError as error:
        return error.offset
    return 0
