"""What the dashboard of the reconciler asks for is what a server says of itself."""

from __future__ import annotations

from fakes.samples import record
from prometheus_questions import exported, queries, unanswered
from serving import NOW, client_of, serving


def test_every_question_of_the_reconcilers_dashboard_is_answered() -> None:
    with serving() as world, client_of(world.app) as client:
        assert client.post("/ingest/orders", content=record("OrderPlaced", "m", NOW, {"order_id": "M"})).status_code == 202
        world.settle()
        said = exported([client.get("/metrics").text])
    asked = list(queries("reconciler"))
    assert asked
    assert unanswered(asked, said) == []
    misspelt = [each for each in asked if each.expr == "sagacity_records_per_second"]
    del said["sagacity_records_per_second"]
    assert unanswered(misspelt, said) == ["reconciler: Records a second: nobody says sagacity_records_per_second"]
