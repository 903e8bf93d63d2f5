"""What every part of a plan needs to know of a workflow: numbers of event types, columns of attributes, conditions."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from sagacity.plan.columns import column_of, currency_of
from sagacity.plan.fill import Tree, column, fill
from sagacity.plan.predicates import render
from sagacity.workflow.conditions.condition import Aggregate, Attribute, Expression
from sagacity.workflow.conditions.parser import parse_assert, parse_when, parse_where
from sagacity.workflow.model import Assert, Audited, Rule, Workflow
from sagacity.workflow.trace import FOREVER

__all__ = ["Facts"]

Leaf = Callable[[Attribute | Aggregate], tuple[Tree, Tree | None]]


class Facts:
    """A workflow as the plan sees it, for one as-of instant (microseconds UTC).

    Without one the instant is left open: the queries then hold the parameter `as_of`, which whoever runs them fills in.
    """

    def __init__(self, workflow: Workflow, as_of: int | None) -> None:
        self.workflow = workflow
        self.as_of = as_of
        self.audited: tuple[Audited, ...] = workflow.audited()
        self.number = {name: number for number, name in enumerate(workflow.events)}
        self.sequenced = any(
            event.seq is not None or workflow.source_of(name).seq is not None for name, event in workflow.events.items()
        )
        self.strays = workflow.unexpected == "forbid"
        self.identified = self.strays or any(workflow.id_of(name) is not None for name in workflow.events)

    @property
    def endless(self) -> bool:
        """Whether no case ever ends by itself."""
        return not self.workflow.ends and self.workflow.timeout is None

    def attribute(self, event_type: str, name: str, table: str | None = None) -> tuple[Tree, Tree | None]:
        """The columns of an attribute's value and, where it has one, its currency."""
        if name in ("time", "id"):
            return column(name, table), None
        capture = self.workflow.events[event_type].capture[name]
        currency = column(currency_of(name).name, table) if capture.currency is not None else None
        return column(column_of(name, capture).name, table), currency

    def active(self, rule: Rule, event_type: str, leaf: Leaf | None = None) -> Tree | None:
        """The rule's `when` for events of a type, true or false but never unknown; None where it has none."""
        if rule.when is None:
            return None
        expression = parse_when(rule.when, self.workflow, event_type)
        return self.decide(expression, leaf or (lambda node: self.attribute(event_type, _name(node))))

    def correlated(self, rule: Rule, leaf: Leaf) -> Tree | None:
        """The rule's `where`, true or false but never unknown; None where it has none."""
        if rule.where is None:
            return None
        a, b = rule.events
        return self.decide(parse_where(rule.where, self.workflow, a, b), leaf)

    def predicate(self, expectation: Assert) -> Expression:
        """The predicate of an assert."""
        return parse_assert(expectation.predicate, self.workflow)

    def decide(self, expression: Expression, leaf: Leaf) -> Tree:
        """A condition in which what is unknown is false."""
        return fill("COALESCE(:condition, FALSE)", condition=render(expression, leaf))

    def due_by(self, due: Tree) -> Tree:
        """Whether an instant has come by as-of."""
        if self.as_of == FOREVER:
            return fill("TRUE")
        as_of = exp.Placeholder(this="as_of") if self.as_of is None else self.as_of
        return fill(":due <= :instant", due=due, instant=as_of)


def _name(node: Attribute | Aggregate) -> str:
    assert isinstance(node, Attribute)
    return node.name
