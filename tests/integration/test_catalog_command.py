"""`sagacity catalog` as a command: documents, workflows and logs in; a list of what is amiss and a page out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sagacity
from sagacity.cli.main import run
from sagacity.errors import SagacityError
from sagacity.reconcile.catalog import catalog
from sagacity.workflow.instants import instant

ASYNCAPI = """
asyncapi: 3.0.0
info: {title: order service, contact: {name: team orders}}
channels: {orders: {address: orders, messages: {OrderPlaced: {$ref: 'messages.json#/OrderPlaced'}, Lost: {}}}}
operations: {tell: {action: send, channel: {$ref: '#/channels/orders'}}}
"""
WORKFLOW = """
workflow: order
keys: order_id
sources: {log: {format: jsonl, key: data.order_id}}
events: {OrderPlaced: {}, ItemShipped: {}}
expect: {ItemShipped: once}
"""


@pytest.fixture
def organisation(tmp_path: Path) -> Path:
    """A folder with all that an organisation has, and things that say nothing of events."""
    for name, text in {
        "api/orders.yaml": ASYNCAPI,
        "api/messages.json": json.dumps({"OrderPlaced": {"payload": {"properties": {"order_id": {"type": "string"}}}}}),
        "order.workflow.yaml": WORKFLOW,
        "compose.yaml": "services: {web: {image: nginx}}",
        "package.json": '{\n  "name": "shop",\n  "type": "module"\n}\n',
        "k8s.yaml": "kind: Service\n---\nkind: Deployment\n",
        "stack.yaml": "Value: !Ref Name\n",
        "chart/templates/a.yaml": "image: {{ .Values.image }}\n",
        "ci.yaml": "workflow: {rules: []}\n",
        "broken.json": '{"asyncapi": ',
        ".hidden/broken.yaml": "{",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with (tmp_path / "events.jsonl").open("w", encoding="utf-8") as out:
        for n in range(60):
            for hour, kind in enumerate(("OrderPlaced", "ItemShipped", "SurveySent")):
                event = {"id": f"{kind}{n}", "type": kind, "source": f"/{kind[:4].lower()}", "data": {"order_id": f"A{n}"}}
                out.write(json.dumps({**event, "time": f"2026-10-0{1 + n // 20}T0{hour}:{n:02}:00Z"}) + "\n")
    return tmp_path


@pytest.fixture
def other_logs(organisation: Path) -> None:
    (organisation / "metrics.jsonl").write_text('{"cpu": 1}\n' * 100, encoding="utf-8")
    (organisation / "cut.parquet").write_text("PAR1", encoding="utf-8")


def test_what_is_amiss_is_printed(organisation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", str(organisation)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "4 event types: 3 seen, 1 expected by a workflow" in said
    assert "Owned by nobody (1) ItemShipped" in said
    assert "Never seen (1) Lost" in said
    assert "SurveySent: 60 events in" in said
    assert "compose.yaml is neither an AsyncAPI document, a JSON Schema nor a workflow" in said


@pytest.mark.usefixtures("other_logs")
def test_a_folder_may_hold_anything_beside(organisation: Path) -> None:
    found = catalog([str(organisation)])
    assert [entry.name for entry in found.entries] == ["ItemShipped", "Lost", "OrderPlaced", "SurveySent"]
    assert {Path(each.document).name for each in found.read if each.kind != "events"} == {
        "orders.yaml",
        "order.workflow.yaml",
    }
    for name in (
        "package.json", "k8s.yaml", "stack.yaml", "a.yaml", "ci.yaml", "broken.json", "metrics.jsonl", "cut.parquet",
        "messages.json",
    ):  # fmt: skip
        assert [name for note in found.notes if name in note.partition(" ")[0]] == [name]


@pytest.mark.usefixtures("other_logs")
@pytest.mark.parametrize("name", ["k8s.yaml", "broken.json", "metrics.jsonl", "cut.parquet"])
def test_what_was_named_itself_is_not_passed_over(name: str, organisation: Path) -> None:
    with pytest.raises(SagacityError):
        catalog([str(organisation / "api"), str(organisation / name)])


def test_a_reference_to_what_cannot_be_read_is_noted(organisation: Path) -> None:
    (organisation / "api" / "messages.json").write_text("{", encoding="utf-8")
    assert any("refers to messages.json" in note for note in catalog([str(organisation / "api" / "orders.yaml")]).notes)


def test_a_schema_that_others_refer_to_is_no_event_type(organisation: Path) -> None:
    api = organisation / "api"
    address = {"properties": {"street": {"type": "string"}}}
    (api / "address.json").write_text(json.dumps(address), encoding="utf-8")
    (api / "sent.json").write_text(json.dumps({"properties": {"type": {"const": "Sent"}}}), encoding="utf-8")
    (api / "lost.json").write_text(json.dumps(address), encoding="utf-8")
    refers = {"properties": {name: {"$ref": f"{name}.json"} for name in ("address", "sent", "lost")}}
    (api / "returned.json").write_text(json.dumps(refers), encoding="utf-8")
    names = {entry.name: len(entry.facts) for entry in catalog([str(organisation)]).entries}
    assert names.keys() & {"address", "Sent", "Lost", "returned"} == {"Sent", "Lost", "returned"}
    assert names["Lost"] == 2


def test_an_entry_has_what_each_says_of_it(organisation: Path) -> None:
    entries = {entry.name: entry for entry in catalog([str(organisation)]).entries}
    placed = entries["OrderPlaced"]
    assert placed.sent_by == ("/orde", "order service")
    assert placed.owners == ("team orders",)
    assert placed.keys == ("data.order_id",)
    assert placed.seen is not None
    assert placed.seen.last is not None
    assert (placed.seen.events, instant(placed.seen.last)) == (60, "2026-10-03 00:59:00Z")
    assert entries["SurveySent"].keys == ("data.order_id",)
    assert entries["Lost"].seen is None


def test_the_page_holds_all_and_fetches_nothing(organisation: Path) -> None:
    page = organisation / "catalog.html"
    assert run(["catalog", str(organisation), "-o", str(page), "--quiet"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "http" not in text.replace("http-equiv", "")
    assert all(name in text for name in ("OrderPlaced", "team orders", "SurveySent", "in no workflow"))


def test_names_that_are_markup_do_no_harm(tmp_path: Path) -> None:
    odd, page = tmp_path / "odd.yaml", tmp_path / "odd.html"
    odd.write_text(ASYNCAPI.replace("Lost", "'<script>alert(1)</script>'").replace("team orders", "<b>"), encoding="utf-8")
    assert run(["catalog", str(odd), "-o", str(page), "--quiet"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<b>" not in text


def test_json_has_everything(organisation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", str(organisation / "events.jsonl"), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in found["entries"]] == ["ItemShipped", "OrderPlaced", "SurveySent"]
    assert found["gaps"] == []


def test_strict_exits_with_1_where_something_is_amiss(organisation: Path) -> None:
    assert run(["catalog", str(organisation), "--strict", "--quiet"]) == 1
    assert run(["catalog", str(organisation / "events.jsonl"), "--strict", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("name", "text", "exits", "said"),
    [
        ("a.yaml", "a: [", 3, "a.yaml:2:1 is not YAML"),
        ("a.yaml", "a: b", 2, "neither an AsyncAPI document"),
        ("a.yaml", "\0\1", 3, "a.yaml"),
        ("a.yaml", "[" * 5000, 3, "a.yaml"),
        ("a.workflow.yaml", "workflow: a", 2, "sources is missing"),
        ("a.json", '{"asyncapi": "3.0.0"', 3, "a.json"),
        ("a.jsonl", '{"a": 1}', 2, "--time"),
    ],
)
def test_what_cannot_be_read_is_told(
    name: str, text: str, exits: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert run(["catalog", str(tmp_path / name)]) == exits
    assert said in capsys.readouterr().err


def test_a_path_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", str(tmp_path / "absent.yaml")]) == 3
    assert "no such file" in capsys.readouterr().err
    assert run(["catalog", str(tmp_path)]) == 3
    assert "neither documents nor events" in capsys.readouterr().err


def test_a_reference_that_leads_nowhere_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(ASYNCAPI.replace("messages.json", "https://example.com/m.json"), encoding="utf-8")
    assert "nothing is fetched" in " ".join(catalog([path]).notes)
    path.write_text(ASYNCAPI, encoding="utf-8")
    assert "there is no such file" in " ".join(catalog([path]).notes)


def test_it_can_be_asked_for_from_python(organisation: Path) -> None:
    found = sagacity.catalog([organisation / "events.jsonl"])
    assert isinstance(found, sagacity.Catalog)
    assert len(found.entries) == 3
