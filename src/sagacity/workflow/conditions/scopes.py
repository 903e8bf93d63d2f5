"""What a name means: on one event (`when`), on a pair of them (`where`), over a case (`assert`)."""

from __future__ import annotations

from typing import Protocol

import msgspec

from sagacity.workflow.conditions.condition import Aggregate, AggregateFunction, Attribute, Expression, Type
from sagacity.workflow.conditions.refusal import Refusal, suggestion
from sagacity.workflow.model import Workflow

__all__ = ["CaseScope", "EventScope", "PairScope", "Scope"]


class Scope(Protocol):
    """Where names are looked up. Event types may have points in their names: the last part names the attribute."""

    def name(self, parts: tuple[str, ...]) -> Expression:
        """What a name that stands alone means."""
        ...

    def aggregate(self, function: AggregateFunction, parts: tuple[str, ...]) -> Expression:
        """What a name within an aggregate function means."""
        ...


class EventScope(msgspec.Struct, frozen=True):
    """`when`: the attributes of one event, bare or after its type's name."""

    workflow: Workflow
    event: str

    def name(self, parts: tuple[str, ...]) -> Expression:
        of, attribute = ".".join(parts[:-1]), parts[-1]
        if of and of != self.event:
            if of in self.workflow.events:
                raise Refusal(f"this condition is about `{self.event}` alone, not `{of}`", "`where` compares two events")
            if of in ("a", "b"):
                raise Refusal(f"this condition is about one event: write `{attribute}`, not `{of}.{attribute}`")
            raise _unknown_event(self.workflow, of)
        return _attribute("self", attribute, _field(self.workflow, self.event, attribute))

    def aggregate(self, function: AggregateFunction, parts: tuple[str, ...]) -> Expression:  # noqa: ARG002
        raise _no_aggregate(function)


class PairScope(msgspec.Struct, frozen=True):
    """`where`: the attributes of the template's a and b, named `a.x`, `b.x` or after their types' names."""

    workflow: Workflow
    a: str
    b: str

    def name(self, parts: tuple[str, ...]) -> Expression:
        of, attribute = ".".join(parts[:-1]), parts[-1]
        if not of:
            raise Refusal(f"`{attribute}` does not say of which event", f"write a.{attribute} or b.{attribute}")
        if of == "a" or (of == self.a != self.b and of != "b"):
            return _attribute("a", attribute, _field(self.workflow, self.a, attribute))
        if of == "b" or (of == self.b != self.a):
            return _attribute("b", attribute, _field(self.workflow, self.b, attribute))
        if of == self.a:
            raise Refusal(f"both events are of type `{of}`", f"write a.{attribute} or b.{attribute}")
        if of in self.workflow.events:
            raise Refusal(f"`{of}` is not one of the two events", f"a is {self.a}, b is {self.b}")
        raise Refusal(f"there is no event type `{of}`", suggestion(of, {"a", "b", self.a, self.b}))

    def aggregate(self, function: AggregateFunction, parts: tuple[str, ...]) -> Expression:  # noqa: ARG002
        raise _no_aggregate(function)


class CaseScope(msgspec.Struct, frozen=True):
    """`assert`: aggregates over the case's events; `X.attr` is the attribute of the first X."""

    workflow: Workflow

    def name(self, parts: tuple[str, ...]) -> Expression:
        return self.aggregate("first", parts)

    def aggregate(self, function: AggregateFunction, parts: tuple[str, ...]) -> Expression:
        whole = ".".join(parts)
        events = self.workflow.events
        if whole in events:
            if function != "count":
                hint = (
                    f"such as {function}({whole}.time)" if function in ("first", "last") else "or count its events: count(X)"
                )
                raise Refusal(f"`{whole}` is an event type: name one of its attributes", hint)
            return Aggregate("count", whole, None, "integer")
        of, attribute = ".".join(parts[:-1]), parts[-1]
        if not of:
            having = [name for name, event in events.items() if attribute in event.capture]
            if having:
                raise Refusal(f"`{attribute}` does not say of which event", f"write {having[0]}.{attribute}")
            raise _unknown_event(self.workflow, attribute)
        if of not in events:
            raise _unknown_event(self.workflow, of)
        field = _field(self.workflow, of, attribute)
        return _aggregate(function, of, attribute, field)


class _Field(msgspec.Struct, frozen=True):
    type: Type
    currency: bool = False
    digits: int = 18
    scale: int = 4
    assumed: bool = False


_OF_EVERY_EVENT = {"time": _Field("time"), "id": _Field("text")}


def _field(workflow: Workflow, event: str, name: str) -> _Field:
    """What is known of an attribute. `time` and `id` are the event's own, also where a capture has the name."""
    if (own := _OF_EVERY_EVENT.get(name)) is not None:
        return own
    if event not in workflow.events:
        raise _unknown_event(workflow, event)
    captured = workflow.events[event].capture
    if name not in captured:
        raise Refusal(f"`{event}` has no attribute `{name}`", suggestion(name, {*captured, *_OF_EVERY_EVENT}))
    capture = captured[name]
    return _Field(capture.type or "text", capture.currency is not None, capture.digits, capture.scale, capture.type is None)


def _attribute(place: str, name: str, field: _Field) -> Attribute:
    return Attribute(place, name, field.type, field.currency, field.digits, field.scale, field.assumed)  # type: ignore[arg-type]


def _aggregate(function: AggregateFunction, event: str, attribute: str, field: _Field) -> Aggregate:
    if function == "count":
        return Aggregate("count", event, attribute, "integer")
    if function == "sum" and field.type not in ("integer", "decimal"):
        hint = f"capture `{attribute}` `as decimal`" if field.type == "text" and attribute != "id" else None
        raise Refusal(f"sum adds numbers, and `{event}.{attribute}` is of type {field.type}", hint)
    if function in ("min", "max") and field.type == "boolean":
        raise Refusal(f"true and false have no order: {function} does not take `{event}.{attribute}`")
    return Aggregate(function, event, attribute, field.type, field.currency, field.digits, field.scale, field.assumed)


def _unknown_event(workflow: Workflow, name: str) -> Refusal:
    return Refusal(f"there is no event type `{name}`", suggestion(name, workflow.events))


def _no_aggregate(function: str) -> Refusal:
    return Refusal(f"{function}() counts over a case, and this condition is about single events", "put it into an `assert`")
