"""A proposal accepted rule by rule: by numbers, by answers in the terminal, and on the page."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from bench.planted import planted

from sagacity.cli.main import run
from sagacity.discover.accepting import accepted, chosen_of
from sagacity.discover.proposal import Proposal
from sagacity.errors import UsageError
from sagacity.reconcile.discovery import discover
from sagacity.reconcile.drift import drift
from sagacity.reconcile.history import check
from sagacity.report.html import render_html
from sagacity.report.html.discovery import render_discovery
from sagacity.workflow.language.reader import load, loads, read
from sagacity.workflow.model import Workflow
from sagacity.workflow.words.naming import names
from sagacity.workflow.words.origin import origin_of


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(600, seed=3).write(tmp_path_factory.mktemp("log") / "events.jsonl")


@pytest.fixture(scope="module")
def proposal(log: Path) -> Proposal:
    return discover([str(log)], "order_id")


def _of(proposal: Proposal, *chosen: int) -> Workflow:
    return loads(accepted(proposal, chosen, by="anna", date="2026-11-23"))


def test_what_is_accepted_is_in_the_file_with_where_it_came_from(proposal: Proposal) -> None:
    for place, rule in enumerate(proposal.rules):
        workflow = _of(proposal, place)
        ((name, origin),) = workflow.accepted.items()
        assert name in names(workflow)
        assert origin_of(workflow, name) is not None
        assert (origin.held, origin.of) == (rule.evidence.held, rule.evidence.support)
        assert (origin.by, origin.date, origin.log) == ("anna", "2026-11-23", proposal.log)
        assert len(workflow.expectations) == (0 if rule.expectation is None else 1)
        assert bool(workflow.begins) == (rule.expectation is None)


def test_all_accepted_is_the_proposal_and_nothing_accepted_expects_nothing(proposal: Proposal) -> None:
    whole, empty = _of(proposal, *range(len(proposal.rules))), _of(proposal)
    assert whole.expectations == loads(proposal.text).expectations
    assert set(whole.accepted) <= set(names(whole))
    assert len(whole.accepted) == len(proposal.rules)
    assert empty.expectations == ()
    assert empty.accepted == {}


def test_numbers_and_names_of_rules_are_read(proposal: Proposal) -> None:
    rules = proposal.rules[:4]
    assert chosen_of(["all"], rules) == {0, 1, 2, 3}
    assert chosen_of([" 1, 3-4 "], rules) == {0, 2, 3}
    assert chosen_of(["1", rules[2].name], rules) == {0, 2}
    for text in ("", "0", "5", "2-1", "1-", "-1", "one", "1,,2", "3-9", proposal.rules[4].name):
        with pytest.raises(UsageError):
            chosen_of([text], rules)


def test_rules_are_accepted_by_their_numbers(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "order.workflow.yaml"
    arguments = ["discover", str(log), "--case", "order_id", "-o", str(out)]
    assert run([*arguments, "--accept", "1-3", "--by", "anna"]) == 0
    said = capsys.readouterr().out
    assert "accepted 3 of" in said
    assert [f"  {place}: {name}" for place, name in enumerate(load(out).accepted, start=1)] == said.splitlines()[1:4]
    assert {each.by for each in load(out).accepted.values()} == {"anna"}
    assert len(load(out).accepted) == 3
    assert run(["validate", str(out)]) == 0
    assert run([*arguments, "--force", "--accept", "999"]) == 2
    assert run([*arguments, "--force", "--accept", "1", "--review"]) == 2
    assert len(load(out).accepted) == 3


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    given = io.StringIO()
    monkeypatch.setattr("sys.stdin", given)
    return given


def _say(answers: io.StringIO, *lines: str) -> None:
    answers.write("".join(f"{line}\n" for line in lines))
    answers.seek(0)


def test_each_rule_is_asked_for_in_the_terminal(
    log: Path, tmp_path: Path, answers: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "order.workflow.yaml"
    _say(answers, "n", "what?", "y", "No", "ALL")
    assert run(["discover", str(log), "--case", "order_id", "-o", str(out), "--review"]) == 0
    said = capsys.readouterr()
    rules = len(load(out).accepted) + 2
    assert f"accepted {rules - 2} of {rules} rules" in said.out
    assert f"4 of {rules}: " in said.err
    assert f"5 of {rules}: " not in said.err
    assert "holds in all of" in said.err
    assert said.err.count("y puts the rule into the file") == 1


@pytest.mark.parametrize(("lines", "hint"), [(("y", "n", "y"), "1,3\n"), (("y", "q", "y"), "1\n"), ((), "all takes")])
def test_nothing_is_written_where_somebody_stops_and_what_was_accepted_is_told(
    lines: tuple[str, ...], hint: str, log: Path, tmp_path: Path, answers: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "order.workflow.yaml"
    _say(answers, *lines)
    assert run(["discover", str(log), "--case", "order_id", "-o", str(out), "--review"]) == 2
    said = capsys.readouterr().err
    assert "nothing was written" in said
    assert f"--accept {hint}" in said
    assert not out.exists()


def test_a_rule_that_was_changed_since_is_told(proposal: Proposal) -> None:
    text = accepted(proposal, range(len(proposal.rules)), by=None, date="2026-11-23")
    assert read(text)[1] == ()
    changed = text.replace("    - at most once ", "    - at most twice ", 1)
    (problem,) = read(changed)[1]
    assert "no expectation is called" in problem.message
    assert problem.place is not None
    assert changed.splitlines()[problem.place.line - 1].startswith("  ")


def test_a_rule_of_which_the_events_are_read_otherwise_since_is_not_said_to_be_accepted(
    proposal: Proposal, log: Path
) -> None:
    text = accepted(proposal, range(len(proposal.rules)), by="anna", date="2026-11-23")
    line = next(line for line in text.splitlines() if line.startswith("  PaymentReceived:") and "amount" in line)
    changed, problems = read(text.replace(line, line.replace("data.amount", "data.net_amount"), 1))
    assert changed is not None
    told = [problem.message for problem in problems]
    assert told
    assert all("means something else than when it was accepted" in each and "amount" in each for each in told), told
    paid = next(name for name in changed.accepted if "amount = OrderPlaced.amount" in name)
    assert origin_of(changed, paid) is None
    assert origin_of(changed, "OrderPlaced once") is not None
    found = drift(changed, {"log": str(log)}, by="week")
    assert {series.name for series in found.series if series.accepted} == changed.accepted.keys() - _named_in(told)


def _named_in(told: list[str]) -> set[str]:
    return {each.partition(" means something")[0].strip("'\"") for each in told}


@pytest.mark.parametrize("wrong", ["{held: 1}", "{held: one, of: 2}", "[1]", "{held: 1, of: 2, who: me}"])
def test_an_acceptance_that_says_nothing_is_a_mistake(proposal: Proposal, wrong: str) -> None:
    assert [each.severity for each in read(f"{proposal.text}accepted: {{begins with OrderPlaced: {wrong}}}\n")[1]] == [
        "error"
    ]


def test_reports_tell_where_a_rule_came_from(proposal: Proposal, log: Path) -> None:
    result = check(_of(proposal, *range(len(proposal.rules))), {"log": str(log)})
    assert "Accepted by anna on 2026-11-23: it held in" in render_html(result)


def test_drift_tells_how_often_a_rule_held_when_it_was_accepted(proposal: Proposal, log: Path) -> None:
    found = drift(_of(proposal, *range(len(proposal.rules))), {"log": str(log)}, by="week")
    held = {(rule.evidence.held, rule.evidence.support) for rule in proposal.rules}
    given = [each.accepted for each in found.series if each.accepted is not None]
    assert len(given) == len(proposal.rules)
    assert set(given) == held


def test_the_page_has_a_box_for_each_rule_and_the_lines_of_each(proposal: Proposal) -> None:
    page = render_discovery(proposal)
    assert page.count('type="checkbox"') == len(proposal.rules)
    assert page.count("data-origin=") == len(proposal.rules)
