"""The workflow that audits the shop: what the saga `purchase` says must happen, and what was written about the rest, as one.

python -m shop.orchestrator.audit shop/workflows/choreography.yaml > shop/workflows/shop.workflow.yaml
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from sagacity.saga.expectations import workflow_text
from shop.orchestrator.definition import PURCHASE

__all__ = ["whole"]

_HEAD = """\
# Made of choreography.yaml (written) and of the saga `purchase` (generated): change those, and make it anew.
#
#   python -m shop.orchestrator.audit shop/workflows/choreography.yaml > shop/workflows/shop.workflow.yaml
#   sagacity check shop/workflows/shop.workflow.yaml --as-of end --source shop-events=... --source saga-events=... ...
"""


def whole(written: str) -> str:
    """The workflow, as YAML. `written` is the part that was written, as YAML with one key: a purchase's id is its saga's."""
    mine: dict[str, Any] = yaml.load(written, yaml.BaseLoader)
    saga: dict[str, Any] = yaml.load(workflow_text(PURCHASE, owner="orchestrator"), yaml.BaseLoader)
    for source in saga["sources"].values():
        source["key"] = next(iter(source["key"].values()))
    for rule in (*mine["rules"], *saga["rules"]):
        if "n" in rule:
            rule["n"] = int(rule["n"])  # all else is text as it is written
    # An end would be the saga's, and what is shipped comes after it: the saga's timeout ends a case.
    made = {
        **{name: value for name, value in mine.items() if name not in ("sources", "events", "expect", "rules")},
        "timeout": saga["timeout"],
        "sources": {**mine["sources"], **saga["sources"]},
        "events": {**mine["events"], **{name: {"owner": saga["owner"], **each} for name, each in saga["events"].items()}},
        "expect": mine["expect"],
        "rules": [*mine["rules"], *saga["rules"]],
    }
    return _HEAD + yaml.dump(made, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=130)


class _Plain(yaml.SafeDumper):
    """Writes what is there twice twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as the library calls it
        return True


if __name__ == "__main__":
    sys.stdout.write(whole(Path(sys.argv[1]).read_text(encoding="utf-8")))
