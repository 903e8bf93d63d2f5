"""The workflows of the shop: current, valid, and about topics that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import sagacity
from sagacity.cli.main import run
from sagacity.workflow.language.reader import load
from shop.contracts import topics
from shop.contracts.events import ItemShipped, PaymentReceived, PaymentRefunded
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


def test_goods_that_left_for_money_that_was_given_back_are_found(tmp_path: Path) -> None:
    """The warehouse ships what was paid, whatever becomes of the purchase after that."""
    told = [
        (PaymentReceived(id, "1", "2", "3", 450, "USD"), ItemShipped(id, "4", "2", 450, "USD")) for id in ("good", "turned")
    ]
    events = [*told[0], *told[1], PaymentRefunded("turned", "1", 450, "USD")]
    lines = [
        {"id": str(at), "type": type(each).__name__, "time": f"2026-11-23T12:00:0{at}Z", "data": each}
        for at, each in enumerate(events)
    ]
    log, workflow = tmp_path / "shop-events.jsonl", tmp_path / "rule.workflow.yaml"
    log.write_bytes(msgspec.json.Encoder().encode_lines(lines))
    written = yaml.safe_load((WORKFLOWS / "choreography.yaml").read_text(encoding="utf-8"))
    workflow.write_text(
        yaml.safe_dump(_alone(written, "what was refunded was not shipped", "shop-events")), encoding="utf-8"
    )
    assert {each.case for each in sagacity.check(workflow, {"shop-events": log}, as_of="end").findings} == {"turned"}


def _alone(workflow: dict[str, Any], rule: str, source: str) -> dict[str, Any]:
    """A workflow with one of its rules, over one of its sources: all of it takes its time."""
    return {
        **{key: value for key, value in workflow.items() if key not in ("expect", "timeout")},
        "sources": {source: workflow["sources"][source]},
        "events": {name: event for name, event in workflow["events"].items() if event["source"] == source},
        "rules": [each for each in workflow["rules"] if each.get("name") == rule],
    }
