"""The JSON Schema (2020-12) of workflow files, for editors.

It describes the shape of a file and holds descriptions and examples for completion. What it cannot see (names that are
not declared, conditions that make no sense) `sagacity validate` does.
"""

from __future__ import annotations

from typing import Any

from sagacity.workflow.language.declarations import FORMATS, VALUE_TYPES
from sagacity.workflow.language.rules import CARDINALITIES, SEVERITIES
from sagacity.workflow.language.shorthand import GRAMMAR
from sagacity.workflow.templates import TEMPLATES, Template

__all__ = ["schema"]


def schema() -> dict[str, Any]:
    """A new copy of the schema, ready for `json.dumps`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sagacity workflow",
        "description": "What should happen to a case, where its events are found, and what is expected of them.",
        "type": "object",
        "properties": _workflow(),
        "patternProperties": {"^x-": {"description": "The author's own: a place for YAML anchors."}},
        "required": ["workflow", "sources", "events"],
        "additionalProperties": False,
        "$defs": {
            "duration": _DURATION,
            "names": _NAMES,
            "key": _KEY,
            "seq": _SEQ,
            "source": _object(_source(), "Somewhere events are found."),
            "event": _object(_event(), "An event type: where it is found and what is captured."),
            "capture": _CAPTURE,
            "said": _SAID,
            "pair": _PAIR,
            "rule": _rule(),
            "acceptance": _ACCEPTANCE,
        },
    }


def _text(description: str, *examples: Any) -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": 1,
        "description": description,
        **({"examples": list(examples)} if examples else {}),
    }


def _choice(description: str, choices: tuple[str, ...], default: str | None = None) -> dict[str, Any]:
    return {"enum": list(choices), "description": description, **({"default": default} if default else {})}


def _ref(name: str, description: str, **more: Any) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}", "description": description, **more}


def _object(properties: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
        **more,
    }


def _named(value: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "propertyNames": {"minLength": 1},
        "additionalProperties": value,
        "minProperties": 1,
    }


_DURATION = {
    "type": "string",
    "pattern": r"^\s*(P[0-9T].*|([0-9]+(\.[0-9]+)?\s*(ms|us|µs|w|d|h|m|s)\s*)+)$",
    "description": "A number and a unit (w d h m s ms us), combinations of them, or ISO 8601.",
    "examples": ["15m", "24h", "3d", "1h30m", "PT15M"],
}
_NAMES = {
    "description": "A name, or a list of names.",
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    ],
}
_KEY = {
    "description": "An expression for the first of keys, or a mapping of keys to expressions.",
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
    ],
    "examples": ["data.order_id", {"order_id": "data.order_id", "payment_id": "data.payment_id"}],
}
_SEQ = {
    "type": "string",
    "minLength": 1,
    "description": "What orders events of equal time: an expression, or `row` for the place in the log.",
    "examples": ["row", "offset"],
}
_CAPTURE = {
    "description": "An expression over the raw record, with the type that it is read as.",
    "anyOf": [
        {
            "type": "string",
            "minLength": 1,
            "examples": ["data.amount as decimal", "data.customer as text", "data.amount as decimal(18, 2)"],
        },
        _object(
            {
                "value": _text("An expression over the raw record.", "data.amount"),
                "type": _choice("What the value is read as; text where it is left out.", VALUE_TYPES),
                "currency": _text("An expression for the amount's currency, or a quoted literal.", "data.currency", "'EUR'"),
                "digits": {"type": "integer", "minimum": 1, "maximum": 38, "description": "Of a decimal: digits in all."},
                "scale": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 38,
                    "description": "Of a decimal: digits after the point.",
                },
            },
            "The long form.",
            required=["value"],
        ),
    ],
}
_PAIR = {
    "description": "One attribute's name, or that of from and that of to.",
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 2, "maxItems": 2},
    ],
}
_COMMON = {
    "name": _text("What the expectation is called in verdicts and reports."),
    "severity": _choice("How bad a violation is.", SEVERITIES, "error"),
    "owner": _text("Who answers for a violation; else the owner of the event type waited for, else the workflow's."),
    "description": _text("Why this is expected."),
}
_SHORTHAND = _text(
    f"What is expected, in everyday words, separated by commas: {GRAMMAR}.",
    "once",
    "once, within 15m of OrderPlaced, amount = OrderPlaced.amount",
    "at least once, after PaymentReceived, within 3d of PaymentReceived",
)
_ACCEPTANCE = _object(
    {
        "held": {"type": "integer", "minimum": 0, "description": "In how many cases it held when it was accepted."},
        "of": {"type": "integer", "minimum": 0, "description": "How many cases it concerned."},
        "until": _text("The day of the last event that it was learnt from.", "2026-10-12"),
        "log": _text("What it was learnt from.", "events/*.parquet"),
        "by": _text("Who accepted it."),
        "date": _text("The day on which it was accepted.", "2026-11-23"),
        "meaning": _text("Marks what it meant then: where it means something else, it is no longer said to be accepted."),
    },
    "Where an expectation came from.",
    required=["held", "of"],
)
_SAID_ONCE = [_SHORTHAND, _object({"is": _SHORTHAND, **_COMMON}, "The shorthand with options.", required=["is"])]
_SAID = {
    "description": "What is expected of this event type.",
    "anyOf": [*_SAID_ONCE, {"type": "array", "items": {"anyOf": _SAID_ONCE}, "minItems": 1}],
}


def _workflow() -> dict[str, Any]:
    return {
        "workflow": _text("The workflow's name.", "order"),
        "version": {"type": ["string", "number"], "description": "The version of this declaration.", "default": "1"},
        "description": _text("What the workflow is about."),
        "owner": _text("Who answers for findings that have no other owner."),
        "keys": _ref("names", "The correlation keys. The first names the case; the others link to it.", default="case"),
        "sources": _named(
            {"anyOf": [{"$ref": "#/$defs/source"}, {"type": "null"}]}, "Where events are found, by the name of the source."
        ),
        "events": _named({"anyOf": [{"$ref": "#/$defs/event"}, {"type": "null"}]}, "The event types, by name."),
        "begins": _ref("names", "The first event of a case is one of these types."),
        "ends": _ref("names", "An event of one of these types ends the case."),
        "timeout": _ref("duration", "A case ends this long after its first event, if no event has ended it before."),
        "unexpected": _choice(
            "Whether an event of a type that is not named here is a finding.", ("allow", "forbid"), "allow"
        ),
        "expect": {
            "type": ["object", "null"],
            "description": "What is expected of each event type, in everyday words.",
            "additionalProperties": {"$ref": "#/$defs/said"},
        },
        "rules": {
            "type": ["array", "null"],
            "description": "Expectations in full form, one template an entry.",
            "items": {"$ref": "#/$defs/rule"},
        },
        "accepted": {
            "type": ["object", "null"],
            "description": "Where expectations came from that history suggested, by their names.",
            "propertyNames": {"minLength": 1},
            "additionalProperties": {"$ref": "#/$defs/acceptance"},
        },
    }


def _source() -> dict[str, Any]:
    return {
        "format": _choice("The format of the records.", FORMATS),
        "path": _text(
            "Where the files are, relative to this file; the command line may say otherwise.", "events/*.jsonl.gz"
        ),
        "type": _text("An expression for the type of a record's event.", "type"),
        "time": _text("An expression for the time of the event.", "time"),
        "id": _text("An expression for the id of the event, unique within its type.", "id"),
        "seq": {"$ref": "#/$defs/seq"},
        "key": {"$ref": "#/$defs/key"},
        "timezone": _text("The IANA time zone of times without an offset.", "Europe/Berlin"),
        "topics": _ref("names", "The topics that bring its records live; a pattern begins with ^.", examples=["^orders\\."]),
        "redact": _ref("names", "Paths whose values a live ledger never keeps.", examples=["data.card.number"]),
    }


def _event() -> dict[str, Any]:
    return {
        "source": _text("The source it is found in; may be left out where there is only one."),
        "type": _text("What the source's type expression yields for it; its name unless stated.", "payment.received"),
        "where": _text("An SQL condition on the raw record.", "status = 'ok'"),
        "time": _text("An expression for the time, where the source's does not serve.", "paid_at"),
        "id": _text("An expression for the id, where the source's does not serve."),
        "seq": {"$ref": "#/$defs/seq"},
        "key": {"$ref": "#/$defs/key"},
        "capture": _named({"$ref": "#/$defs/capture"}, "The attributes that expectations use, by name."),
        "owner": _text("Who answers for findings about it."),
        "description": _text("What it means that this event happened."),
    }


def _rule() -> dict[str, Any]:
    options = {
        "n": {"type": "integer", "minimum": 1, "default": 1, "description": "Of existence, absence and exactly: how many."},
        "when": _text("A condition on the activation, or on the events that count.", "amount > 100"),
        "where": _text("A condition on the template's a and b.", "a.amount = b.amount"),
        "within": _ref("duration", "A window after the activation; of precedence, before it."),
        "immediate": {"type": "boolean", "default": False, "description": "Of assert: it holds at all times."},
    }
    special = {
        "matches": _object(_matches(), "Every from pairs with its own to.", required=["from", "to", "by"]),
        "assert": _text("An SQL predicate over the case.", "sum(PaymentReceived.amount) = OrderPlaced.amount"),
    }
    kinds = {**{name: _template(template) for name, template in TEMPLATES.items()}, **special}
    return _object(
        {**kinds, **options, **_COMMON},
        "A template with its event types, matches, or assert; and options.",
        oneOf=[{"required": [name]} for name in kinds],
        dependentSchemas={name: _excluded(options, _takes(name)) for name in kinds},
    )


def _takes(kind: str) -> set[str]:
    template = TEMPLATES.get(kind)
    if template is None:
        return {"immediate"} if kind == "assert" else set()
    if template.activated:
        return {"when", "where", "within"}
    return {"when", "n"} if template.counts else {"when"}


def _excluded(options: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    return {"properties": {name: False for name in options if name not in taken}}


def _template(template: Template) -> dict[str, Any]:
    listed = {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": template.arity,
        "maxItems": template.arity,
    }
    if template.arity == 2:
        return {**listed, "description": f"{template.meaning} (a, b)", "examples": [["OrderPlaced", "PaymentReceived"]]}
    one = {"type": "string", "minLength": 1}
    return {"anyOf": [one, listed], "description": template.meaning, "examples": ["OrderPlaced"]}


def _matches() -> dict[str, Any]:
    return {
        "from": _text("An event type.", "InvoiceIssued"),
        "to": _text("The event type that pairs with it.", "PaymentReceived"),
        "by": _ref("pair", "The attribute that pairs them: one name, or that of from and that of to."),
        "cardinality": _choice("How many of each a pairing has.", CARDINALITIES, "one_to_one"),
        "amount": _ref("pair", "The attribute whose sums agree: one name, or that of from and that of to."),
        "tolerance": {
            "type": ["number", "string"],
            "default": 0,
            "description": "How far the sums may differ.",
            "examples": [0.01],
        },
        "within": _ref("duration", "The longest time from a pairing's first event to its last."),
    }
