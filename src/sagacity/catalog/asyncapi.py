"""Messages of AsyncAPI documents, versions 2 and 3: who sends them, who receives them, on which channels.

In version 2, `subscribe` is what others can do: the application sends. `publish` is the other way round. Source: the
AsyncAPI specification, 2.6.0 (Channel Item Object) and 3.0.0 (Operation Object, Operation Reply Object).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Literal, TypeAlias

from sagacity.catalog.fact import Fact
from sagacity.catalog.part import Part
from sagacity.catalog.schemas import attributes_of, constant_of

__all__ = ["asyncapi_facts"]

Way: TypeAlias = Literal["sends", "receives", "declares"]

_TYPE_FIELDS = ("type", "ce_type", "ce-type")
_WAYS_2: dict[str, Way] = {"subscribe": "sends", "publish": "receives"}
_WAYS_3: dict[str, Way] = {"send": "sends", "receive": "receives"}
_ANSWERED: dict[Way, Way] = {"sends": "receives", "receives": "sends", "declares": "declares"}
_PAYLOAD, _HEADER = "$message.payload#/", "$message.header#/"


def asyncapi_facts(part: Part, document: str) -> list[Fact]:
    """One fact for each message of a document."""
    three = (part.text("asyncapi") or "").startswith("3")
    used: dict[int, _Used] = {}
    for message, way, channel in (*(_three if three else _two)(part), *_components(part)):
        if isinstance(message.value, dict):
            used.setdefault(id(message.value), _Used(message)).add(way, channel)
    return [each.fact(part, document) for each in used.values()]


def _two(part: Part) -> Iterator[tuple[Part, Way, str | None]]:
    for address, channel in part.at("channels").entries():
        for verb, way in _WAYS_2.items():
            message = channel.at(verb, "message")
            for each in message.at("oneOf").elements() or [message]:
                yield each, way, address


def _three(part: Part) -> Iterator[tuple[Part, Way, str | None]]:
    for _, operation in part.at("operations").entries():
        way = _WAYS_3.get(operation.text("action") or "")
        if way is None:
            continue
        yield from ((each, way, address) for each, address in _carried(operation))
        reply = operation.at("reply")
        yield from ((each, _ANSWERED[way], address) for each, address in _carried(reply))
    for _, channel in part.at("channels").entries():
        yield from ((each, "declares", _address(channel)) for _, each in channel.at("messages").entries())


def _carried(operation: Part) -> list[tuple[Part, str | None]]:
    """An operation's messages: those that it names, else all of its channel's."""
    channel = operation.at("channel")
    if isinstance(operation.at("messages").value, list):
        found = operation.at("messages").elements()
    else:
        found = [each for _, each in channel.at("messages").entries()]
    return [(each, _address(channel) if channel else None) for each in found]


def _address(channel: Part) -> str | None:
    return channel.text("address") or channel.called or None


def _components(part: Part) -> Iterator[tuple[Part, Way, str | None]]:
    for _, message in part.at("components", "messages").entries():
        yield message, "declares", None


class _Used:
    """A message, and what the document's application does with it."""

    def __init__(self, message: Part) -> None:
        self.message = message
        self.ways: set[Way] = set()
        self.channels: dict[str, None] = {}

    def add(self, way: Way, channel: str | None) -> None:
        self.ways.add(way)
        if channel is not None:
            self.channels[channel] = None

    def fact(self, part: Part, document: str) -> Fact:
        application = part.text("info", "title") or posixpath.basename(document)
        own = (*self.message.texts("x-owner"), *self.message.texts("x-team"))
        payload = self._of("payload")
        payload = payload.at("schema") if payload.at("schemaFormat") else payload
        return Fact(
            document=document,
            kind="asyncapi",
            names=self._names(payload),
            description=self._of("summary").text() or self._of("description").text() or self._of("title").text(),
            sent_by=(application,) if "sends" in self.ways else (),
            received_by=(application,) if "receives" in self.ways else (),
            channels=tuple(self.channels),
            owners=own[:1] or (_keeper(part) if "sends" in self.ways else ()),
            keys=(*self._correlated(), *self._of("x-correlation-key").texts()),
            attributes=attributes_of(payload),
        )

    def _of(self, name: str) -> Part:
        """A field of the message, else of the first of its traits that has it."""
        found = self.message.at(name)
        traits = (trait.at(name) for trait in self.message.at("traits").elements())
        return found if found else next((each for each in traits if each), found)

    def _names(self, payload: Part) -> tuple[str, ...]:
        headers = self._of("headers")
        typed = [constant_of(headers, name) for name in _TYPE_FIELDS]
        if payload.at("properties", "specversion"):
            typed.append(constant_of(payload, "type"))
        stated = [self._of("x-event-type").text(), *typed, self.message.text("name"), self.message.text("messageId")]
        called = self.message.called if self.message.called not in ("message", "") else None
        found = dict.fromkeys(name for name in (*stated, called) if name)
        return tuple(found) or (self.message.text("title") or "a message without a name",)

    def _correlated(self) -> tuple[str, ...]:
        location = self._of("correlationId").text("location") or ""
        if location.startswith(_PAYLOAD):
            return (location.removeprefix(_PAYLOAD).replace("/", "."),)
        if location.startswith(_HEADER):
            return (f"header {location.removeprefix(_HEADER)}",)
        return ()


def _keeper(part: Part) -> tuple[str, ...]:
    """Who answers for a document's application."""
    info = part.at("info")
    stated = (*info.texts("x-owner"), *info.texts("x-team"), info.text("contact", "name"), info.text("contact", "email"))
    return tuple(each for each in stated if each)[:1]
