"""The operator's guide is in step with the code: configuration, metrics, rules, and what it has people run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from sagacity.cli.server.config import Config, Kafka, read_config
from serving import client_of, serving


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).resolve().parents[2] / "docs" / "operate.md").read_text("utf-8")


def _between(page: str, name: str) -> str:
    return page.split(f"<!-- {name} -->\n")[1].split(f"\n<!-- end of {name} -->")[0]


def _rows(page: str, name: str) -> list[list[str]]:
    lines = _between(page, name).splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _block(page: str, name: str) -> str:
    return re.split(r"^```\w*\n", page.split(f"<!-- {name} -->\n")[1], maxsplit=1, flags=re.MULTILINE)[1].split("```")[0]


def _fields() -> dict[str, Any]:
    """Every key of the configuration with its default; absent defaults are `NODEFAULT`."""
    found = {field.name: field.default for field in msgspec.structs.fields(Config) if field.name != "kafka"}
    found |= {f"kafka.{field.name}": field.default for field in msgspec.structs.fields(Kafka)}
    return found


def test_every_key_of_the_configuration_stands_in_the_table_with_its_default(page: str) -> None:
    rows = {key.strip("`"): default for key, _, default in _rows(page, "configuration")}
    fields = _fields()
    assert rows.keys() == fields.keys()
    for key, default in fields.items():
        if isinstance(default, (str, bool, int)):
            written = str(default).lower() if isinstance(default, bool) else str(default)
            assert rows[key] == f"`{written}`", key
        else:
            assert not rows[key].startswith("`"), f"{key} has no default that could be written so"


def test_the_whole_configuration_is_read_and_names_nearly_every_key(page: str, tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(_block(page, "full configuration"))
    config = read_config(file)
    assert config.kafka is not None
    stated = {name for name in Config.__struct_fields__ if getattr(config, name) != getattr(Config(), name)}
    assert set(Config.__struct_fields__) - stated == {"listen", "idle", "batch"}
    assert config.address == ("127.0.0.1", 8420)
    assert config.follow == {"shipments": ("/var/log/depot/*.jsonl",)}


def test_the_table_of_metrics_is_that_of_the_server(page: str) -> None:
    with serving() as world, client_of(world.app) as client:
        told = set(re.findall(r"^# TYPE (\w+) ", client.get("/metrics").text, re.MULTILINE))
    told = {name for name in told if not name.endswith("_created")}
    assert {name.strip("`") for name, _ in _rows(page, "metrics")} == told


def test_the_rules_watch_metrics_that_there_are(page: str) -> None:
    known = {name.strip("`") for name, _ in _rows(page, "metrics")}
    rules = [rule for group in yaml.safe_load(_block(page, "rules"))["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 5
    named = {name for rule in rules for name in re.findall(r"sagacity_\w+", rule["expr"])}
    assert named <= known
    assert yaml.safe_load(_block(page, "scrape"))["scrape_configs"][0]["job_name"] == "sagacity"
