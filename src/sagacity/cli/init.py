"""`sagacity init`: a commented workflow to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["STARTER", "command"]

STARTER = """\
# What should happen to an order, and by when.
# Every key is explained in docs/workflow-file.md; `sagacity validate` says what is wrong with this file, and where.

workflow: order
version: 1
description: An order is paid in time, shipped, and checked for compliance.
owner: fulfilment                       # who answers for a finding, unless an event or a rule names someone else

keys: order_id                          # what ties events together: all events with one order_id are one case

# Where events are found, and how they are read. `sagacity check` reads files; `sagacity serve` judges by this same file as
# events come: from Kafka (`topics: [orders.events]`), from files that grow, or by POST to /ingest/orders.
# Expressions are SQL over the raw record; a dot goes into nested JSON.
sources:
  orders:
    format: jsonl                       # or csv, parquet, xes, table
    path: events/*.jsonl*               # a default; --source orders=... overrides it
    type: type                          # which kind of event a record is
    time: time                          # when it happened; for times without an offset, state timezone: Europe/Berlin
    id: id                              # the same id twice is one event, delivered twice
    key: data.order_id

# The event types, by the name in the record. `capture` keeps the attributes that expectations use.
events:
  OrderPlaced:
    capture:
      amount: {value: data.amount, type: decimal, currency: data.currency}
  PaymentReceived:
    owner: payments
    capture:
      amount: {value: data.amount, type: decimal, currency: data.currency}
  ItemShipped:
  ComplianceCheckDone:
    owner: compliance

begins: OrderPlaced                     # the first event of every case
timeout: 30d                            # a case has ended 30 days after it began; `ends: [ItemShipped]` ends it earlier
unexpected: allow                       # forbid makes any other type of event a finding

# What is expected of a case, in everyday words.
expect:
  OrderPlaced: once
  PaymentReceived: once, within 15m of OrderPlaced, amount = OrderPlaced.amount
  ItemShipped: at least once, after PaymentReceived, within 3d of PaymentReceived
  ComplianceCheckDone:
    is: once, within 24h of PaymentReceived
    severity: critical                  # info, warning, error (the default) or critical

# Rules in full form, for what the everyday words cannot say.
rules:
  - name: large orders are checked in an hour
    response: [OrderPlaced, ComplianceCheckDone]
    when: amount > 1000
    within: 1h
    severity: warning
  - name: no money without an order
    not_precedence: [PaymentReceived, OrderPlaced]
    owner: payments
"""
"""The workflow that `init` writes."""

_DEFAULT = Path("order.workflow.yaml")


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = _DEFAULT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
) -> None:
    """Write a commented workflow to start from.

    \b
    Examples:
      sagacity init
      sagacity init workflows/order.workflow.yaml
      sagacity init order.workflow.yaml --force
    """
    from sagacity.errors import UsageError

    try:
        if path.is_dir():
            path /= _DEFAULT
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(STARTER)
    except FileExistsError:
        raise UsageError(f"{path} exists already", hint="name another file, or overwrite it with --force") from None
    except OSError as error:
        hint = "name a file in a folder that exists" if isinstance(error, FileNotFoundError) else "name another file"
        raise UsageError(f"cannot write {path}: {error.strerror}", hint=hint) from None
    typer.echo(f"wrote {path}; edit it, then run: sagacity validate {path}")
