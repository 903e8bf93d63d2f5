"""The workflows of the shop: current, valid, and about topics that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagacity.cli.main import run
from sagacity.workflow.language.reader import load
from shop.contracts import topics
from shop.orchestrator.audit import whole

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"


def test_the_workflow_is_made_of_what_is_written_and_of_the_saga_as_it_is() -> None:
    """Where this fails, the first lines of shop.workflow.yaml say how it is made anew."""
    written = (WORKFLOWS / "choreography.yaml").read_text(encoding="utf-8")
    assert (WORKFLOWS / "shop.workflow.yaml").read_text(encoding="utf-8") == whole(written)


@pytest.mark.parametrize("name", ["shop.workflow.yaml", "databases.workflow.yaml"])
def test_a_workflow_has_no_mistake_and_nothing_to_warn_of(name: str) -> None:
    assert run(["validate", "--strict", str(WORKFLOWS / name)]) == 0


def test_every_topic_that_is_audited_is_a_topic_of_the_shop() -> None:
    audited = {topic for source in load(WORKFLOWS / "shop.workflow.yaml").sources.values() for topic in source.topics}
    assert audited == set(topics.ALL) - {topics.PURCHASE, topics.DEAD_LETTER}
