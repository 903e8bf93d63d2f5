"""A real log, of permits that a municipality received: what the first 70 % teach is small, and the others keep to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.receipt import LOG, parted

from sagacity.discover.proposal import Proposal
from sagacity.reconcile.discovery import discover
from sagacity.reconcile.history import History
from sagacity.workflow.language.reader import loads

pytestmark = pytest.mark.skipif(not LOG.exists(), reason="../shared/data is not here")

_TWO_SCREENS = 110


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("receipt") / "later.xes"
    cut, before, after = parted(LOG, path)
    assert (before, after) == (1003, 431)
    return path, cut


@pytest.fixture(scope="module")
def proposal(later: tuple[Path, str]) -> Proposal:
    return discover([str(LOG)], until=later[1])


def test_a_process_of_27_event_types_is_two_screens_long(proposal: Proposal) -> None:
    assert len(proposal.workflow.events) == 27
    assert 20 <= len(proposal.rules) <= 45
    assert proposal.text.count("\n") <= _TWO_SCREENS


def test_later_cases_keep_to_what_was_learnt(proposal: Proposal, later: tuple[Path, str]) -> None:
    workflow, log = loads(proposal.text), {"log": str(later[0])}
    violated = {}
    for as_of in (None, "end"):
        with History(workflow, log, as_of=as_of) as history:
            violated[as_of] = len({found.case for found in history.check(details=False).findings})
    assert violated[None] <= 0.03 * 431
    assert 0 < violated["end"] <= 0.12 * 431
