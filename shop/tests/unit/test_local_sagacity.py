"""Sagacity beside the local stack: what is started, what it is told, and where it is said to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shop.chassis.settings import load
from shop.local.assembly import Layout
from shop.local.catalogue import RECONCILER, SHOP
from shop.local.command import laid_out, main, parser
from shop.local.seen import identity
from shop.local.state import Process, State, write
from shop.reconciler.settings import Settings


def beside(*arguments: str) -> Layout:
    return laid_out(parser().parse_args(["up", *arguments]))


def test_sagacity_is_started_beside_the_shop_where_that_is_asked_for() -> None:
    assert beside().catalogue == beside("--no-sagacity").catalogue == SHOP
    assert beside("--sagacity").catalogue == (*SHOP, RECONCILER)


def test_it_judges_by_the_shops_own_workflow() -> None:
    told = {"RECONCILER_KAFKA_SERVERS": "127.0.0.1:9092", **beside("--sagacity").extra}
    [workflow] = load(Settings, "RECONCILER", told).workflows
    assert Path(workflow).is_absolute()
    assert Path(workflow).read_text(encoding="utf-8").startswith("# ")
    assert Path(workflow).name == "shop.workflow.yaml"


def test_a_layout_keeps_what_else_it_has() -> None:
    layout = Layout(extra={"PAYMENT_PROVIDER_LIMIT": "1000"}, web=9000).with_sagacity(Path("a.yaml"))
    assert layout.extra["PAYMENT_PROVIDER_LIMIT"] == "1000"
    assert (layout.web, layout.catalogue[-1]) == (9000, RECONCILER)


@pytest.mark.parametrize("started", [True, False])
def test_the_table_says_where_its_pages_are(started: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = Process(name="reconciler", condition="ready", where="http://127.0.0.1:4711")
    parts = (Process(name="order", condition="ready"), *([part] if started else []))
    write(tmp_path, State(pid=os.getpid(), identity=identity(os.getpid()), parts=parts))
    main(["status", "--data", str(tmp_path)])
    assert ("Sagacity: http://127.0.0.1:4711/" in capsys.readouterr().out) is started


def test_its_log_is_among_those_that_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "reconciler.log"
    log.write_text("it judges\n")
    (tmp_path / "reconciler").mkdir()
    part = Process(name="reconciler", condition="ready", log=str(log))
    write(tmp_path, State(pid=os.getpid(), identity=identity(os.getpid()), parts=(part,)))
    assert main(["logs", "--data", str(tmp_path)]) == 0
    assert "it judges" in capsys.readouterr().out
