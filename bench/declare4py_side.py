"""Declare4Py's side of the comparison, by its own API: `declare4py_side.py LOG OUT`.

Writes, as JSON, for each rule the cases that violate it, and how many seconds reading and checking took. Runs under any
interpreter that has Declare4Py, and imports nothing of Sagacity.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

RULES = {
    "existence": "Existence1[PaymentReceived] | |",
    "absence": "Absence2[ItemShipped] | |",
    "exactly": "Exactly1[PaymentReceived] | |",
    "init": "Init[OrderPlaced] | |",
    "responded existence": "Responded Existence[ItemShipped, PaymentReceived] | | |",
    "response": "Response[PaymentReceived, ItemShipped] | | |0,24,h",
    "precedence": "Precedence[PaymentReceived, ItemShipped] | | |",
    "alternate response": "Alternate Response[ItemShipped, ParcelDelivered] | | |",
    "chain response": "Chain Response[OrderPlaced, PaymentReceived] | | |",
}
ACTIVITIES = (
    "OrderPlaced",
    "PaymentReceived",
    "ComplianceCheckDone",
    "ItemShipped",
    "ParcelDelivered",
    "OrderCancelled",
    "RefundIssued",
)


def main(log_path: str, out: str) -> None:
    from Declare4Py.D4PyEventLog import D4PyEventLog
    from Declare4Py.ProcessMiningTasks.ConformanceChecking.MPDeclareAnalyzer import MPDeclareAnalyzer
    from Declare4Py.ProcessModels.DeclareModel import DeclareModel

    lines = [f"activity {name}" for name in ACTIVITIES] + list(RULES.values())
    model = DeclareModel().parse_from_string("\n".join(lines))
    began = time.perf_counter()
    log = D4PyEventLog(case_name="case:concept:name")
    log.parse_xes_log(log_path)
    read = time.perf_counter()
    results = MPDeclareAnalyzer(log=log, declare_model=model, consider_vacuity=True).run()
    checked = time.perf_counter()
    states = results.get_metric(metric="state")
    cases = [trace.attributes["concept:name"] for trace in log.get_log()]
    by_rule = {name: rule for rule, name in zip(RULES, _order(model), strict=True)}
    violated = {
        by_rule[column]: sorted(case for case, state in zip(cases, states[column], strict=True) if state == 0)
        for column in states.columns
    }
    seconds = {"read": read - began, "check": checked - read}
    Path(out).write_text(json.dumps({"seconds": seconds, "violated": violated}))


def _order(model: object) -> list[str]:
    """The model's own names of its rules, in the order in which they were given."""
    return list(model.serialized_constraints)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
