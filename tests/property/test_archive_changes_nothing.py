"""The law of the archive where several keys name a case: a ledger that archives says what one that does not says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from effort import examples
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from archive_site import PAYMENTS, Site
from sagacity.ledger.live import FindingFilter

_TYPES = ("Placed", "Paid", "Shipped")


@st.composite
def _events(draw: st.DrawFn) -> dict[str, Any]:
    """An event with some of few keys, so that chains, shared values and lost links come about."""
    return {
        "type_": draw(st.sampled_from(_TYPES)),
        "at": draw(st.integers(100, 104)),
        "id_": draw(st.sampled_from("123456")),
        "order": draw(st.sampled_from((None, None, "a", "b", "c"))),
        "payment": draw(st.sampled_from((None, "P", "Q"))),
        "parcel": draw(st.sampled_from((None, None, "R", "S"))),
    }


@settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds=st.lists(st.lists(_events(), max_size=4), min_size=2, max_size=4))
def test_a_ledger_that_archives_says_what_one_that_does_not_says(rounds: list[list[dict[str, Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sites = [Site(Path(folder) / "archiving", PAYMENTS), Site(Path(folder) / "hot", PAYMENTS, after=None)]
        try:
            for place, batch in enumerate(rounds):
                for site in sites:
                    if batch:
                        site.bodies([site.body(**each) for each in batch])
                    site.judge(110 + place)
                archived, _ = sites[0].upkeep()
                event("archived" if archived else "nothing to archive")
                assert _said(sites[0]) == _said(sites[1])
        finally:
            for site in sites:
                site.close()


def _said(site: Site) -> tuple[Any, ...]:
    cases = site.cases()
    found = {(it.id, it.kind, it.state, it.since) for it in site.ledger.findings(FindingFilter(), limit=500).items}
    sums = [
        (it.records, it.matched + it.late, it.redelivered, it.unmatched, it.orphan, it.rejected)
        for it in site.ledger.accounts()
    ]
    return cases, {case: site.told(case) for case in cases}, found, sums, site.ledger.counts("orders")
