"""Reading the expectations of a workflow file: the everyday shorthand and the rules in full form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sagacity.workflow.language.fields import Field, Fields
from sagacity.workflow.language.nodes import Node
from sagacity.workflow.language.shorthand import Clause, ShorthandError, clauses
from sagacity.workflow.model import Assert, Expectation, Matches, Rule
from sagacity.workflow.spelling import did_you_mean
from sagacity.workflow.templates import TEMPLATES

__all__ = ["CARDINALITIES", "SEVERITIES", "Origin", "Rules"]

SEVERITIES = ("info", "warning", "error", "critical")
CARDINALITIES = ("one_to_one", "one_to_many", "many_to_one")

_MATCHES = ("from", "to", "by", "cardinality", "amount", "tolerance", "within")


class Origin(msgspec.Struct, frozen=True):
    """Where an expectation stands in the file.

    `paths` maps the parts of an expectation to paths in the file; other parts stand below `path`. `spots` maps an event
    type's name to the node and offset where a shorthand names it, and `spot` is where the expectation's clause starts.
    """

    path: str
    paths: Mapping[str, str]
    spot: tuple[Node, int] | None = None
    spots: Mapping[str, tuple[Node, int]] = {}


class Rules:
    """Reads expectations, and keeps where each came from: `origins` is in step with `expectations`."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.expectations: list[Expectation] = []
        self.origins: list[Origin] = []
        self._common: dict[str, Field] = {
            "severity": fields.one_of(*SEVERITIES),
            "owner": fields.words,
            "name": fields.words,
            "description": fields.words,
        }
        self._rule: dict[str, Field] = {
            "n": fields.integer,
            "when": fields.expression,
            "where": fields.expression,
            "within": fields.duration,
            **self._common,
        }
        self._matches: dict[str, Field] = {
            "from": fields.words,
            "to": fields.words,
            "by": self.pair,
            "cardinality": fields.one_of(*CARDINALITIES),
            "amount": self.pair,
            "tolerance": fields.words,
            "within": fields.duration,
        }
        self._long: dict[str, Field] = {"is": fields.words, **self._common}

    def expect(self, node: Node, path: str) -> None:
        """The shorthand section: an event type's name, and what is expected of it."""
        for event, below, value in self.fields.entries(node, path, "expect", "write an event type's name, then once"):
            key = node.pairs[event][0]
            items = value.items if value.kind == "list" else [value]
            paths = [f"{below}[{index}]" for index in range(len(items))] if value.kind == "list" else [below]
            said = [self._said(item, where) for item, where in zip(items, paths, strict=True)]
            single = any(clause.most == 1 for _, _, found in said for clause in found)
            for (text, options, found), where in zip(said, paths, strict=True):
                if text is not None:
                    self._compile(event, key, where, text, options, found, single)

    def _said(self, node: Node, path: str) -> tuple[Node | None, dict[str, Any], tuple[Clause, ...]]:
        """The node of the shorthand's text, the options beside it, and the clauses."""
        options: dict[str, Any] = {}
        self.fields.places[path] = node
        if node.kind == "mapping":
            options = self.fields.mapping(node, path, self._long, "this expectation") or {}
            if "is" not in node.pairs:
                if f"{path}.is" not in self.fields.settled:
                    self.fields.wrong(node, path, "an expectation needs its text", "add is: once, or another shorthand")
                return None, {}, ()
            text = options.pop("is", None)
            node = node.pairs["is"][1]
        else:
            text = self.fields.scalar(node, path, "a shorthand such as once")
        if text is None:
            return None, {}, ()
        try:
            return node, options, clauses(text)
        except ShorthandError as error:
            self.fields.wrong(node, path, error.message, error.hint, error.offset)
            return None, {}, ()

    def _compile(
        self, event: str, key: Node, path: str, node: Node, options: dict[str, Any], said: tuple[Clause, ...], single: bool
    ) -> None:
        made: list[tuple[Clause, Expectation]] = []
        for clause in said:
            try:
                expectation = clause.says(event, single)
            except ShorthandError as error:
                self.fields.wrong(node, path, error.message, error.hint, error.offset)
            else:
                made += [] if expectation is None else [(clause, expectation)]
        for clause, expectation in made:
            named = dict(options)
            if "name" in named and len(made) > 1:
                named["name"] = f"{named['name']}: {clause.text}"
            self.expectations.append(msgspec.structs.replace(expectation, **named) if named else expectation)
            spots = {event: (key, 0)}
            for other in expectation.events if isinstance(expectation, Rule) else ():
                spots.setdefault(other, (node, max(node.text.find(other, clause.offset), clause.offset)))
            self.origins.append(Origin(path, {}, (node, clause.offset), spots))

    def rules(self, node: Node, path: str) -> None:
        """The section of rules in full form: a list with one template an entry."""
        if node.kind != "list":
            hint = "start each rule with a dash: - response: [OrderPlaced, PaymentReceived]"
            self.fields.wrong(node, path, "rules is a list", hint)
            return
        for index, item in enumerate(node.items):
            below = f"{path}[{index}]"
            self.fields.places[below] = item
            self.rule(item, below)

    def rule(self, node: Node, path: str) -> None:
        """One entry: a template, `matches` or `assert`, and its options."""
        if not self.fields.is_mapping(node, path, "a rule", "write - response: [OrderPlaced, PaymentReceived]"):
            return
        kinds = [name for name in node.pairs if name in TEMPLATES or name in ("matches", "assert")]
        if len(kinds) != 1:
            self._which(node, path, kinds)
            return
        (kind,) = kinds
        made: Expectation | None
        if kind == "matches":
            values = self.fields.mapping(node, path, {kind: self.matches, **self._common}, "this rule") or {}
            inner, paths = values.pop(kind, None), {part: f"{path}.matches.{part}" for part in _MATCHES}
            made = Matches(**inner, **values) if inner else None
        elif kind == "assert":
            known = {kind: self.fields.expression, "immediate": self.fields.boolean, **self._common}
            values = self.fields.mapping(node, path, known, "this rule") or {}
            predicate, paths = values.pop(kind, None), {"predicate": f"{path}.assert"}
            made = Assert(predicate=predicate, **values) if predicate else None
        else:
            values = self.fields.mapping(node, path, {kind: self.fields.names, **self._rule}, "this rule") or {}
            events, paths = values.pop(kind, None), {"events": f"{path}.{kind}", "template": path}
            if "n" in values and not TEMPLATES[kind].counts:
                counting = ", ".join(name for name, template in TEMPLATES.items() if template.counts)
                self.fields.wrong(node.pairs["n"][0], f"{path}.n", f"{kind} takes no n", f"{counting} do")
                del values["n"]
            made = Rule(template=kind, events=events, **values) if events is not None else None
        if made is not None:
            self.expectations.append(made)
            self.origins.append(Origin(path, paths))

    def _which(self, node: Node, path: str, kinds: list[str]) -> None:
        if kinds:
            hint = "start a rule of its own for each, with a dash"
            self.fields.wrong(
                node.pairs[kinds[1]][0], path, f"a rule has one template, and this has {' and '.join(kinds)}", hint
            )
            return
        options = {*self._rule, "immediate"}
        stranger = next((name for name in node.pairs if name not in options), None)
        if stranger is None:
            self.fields.wrong(node, path, "a rule needs a template", f"known are {_listed()}")
            return
        near = did_you_mean(stranger, (*TEMPLATES, "matches", "assert"))
        hint = f"did you mean {near}?" if near else f"known are {_listed()}"
        self.fields.wrong(node.pairs[stranger][0], path, f"there is no template {stranger!r}", hint)

    def matches(self, node: Node, path: str) -> dict[str, Any] | None:
        """The values of a `matches` rule, None where one that it needs is missing."""
        values = self.fields.mapping(node, path, self._matches, "matches")
        if values is None:
            return None
        for needed in ("from", "to", "by"):
            if needed not in values and f"{path}.{needed}" not in self.fields.settled:
                hint = "write matches: {from: InvoiceIssued, to: PaymentReceived, by: invoice_id}"
                self.fields.wrong(node, f"{path}.{needed}", f"matches needs {needed}", hint)
        if not {"from", "to", "by"} <= values.keys():
            return None
        values["from_"] = values.pop("from")
        return values

    def pair(self, node: Node, path: str) -> tuple[str, str] | None:
        """An attribute's name for both sides, or a list of two."""
        found = self.fields.names(node, path)
        if found is None or len(found) == 2:
            return found
        if len(found) == 1:
            return found[0], found[0]
        self.fields.wrong(node, path, f"{path.rsplit('.', 1)[-1]} takes one name, or two: that of from and that of to")
        return None


def _listed() -> str:
    return ", ".join((*TEMPLATES, "matches", "assert"))
