"""What is carried, and to whom it belongs: the task or thread that bound it."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator
from contextvars import Context, ContextVar, copy_context

import msgspec

from sagacity.correlation.traceparent import TraceParent, tracestate
from sagacity.errors import UsageError

__all__ = ["Correlation", "bound", "context_with", "current", "new_id", "valid_id"]

_ID = re.compile(r"[A-Za-z0-9._~:/+=@|#-]{1,128}")


class Correlation(msgspec.Struct, frozen=True):
    """A correlation id, with the trace context that came along; `traceparent` and `tracestate` as headers have them."""

    id: str
    traceparent: str | None = None
    tracestate: str | None = None


_current: ContextVar[Correlation | None] = ContextVar("sagacity_correlation", default=None)


def current() -> Correlation | None:
    """What is bound here and now."""
    return _current.get()


def new_id() -> str:
    """A new correlation id: 32 hexadecimal digits from the system's source of chance."""
    return secrets.token_hex(16)


def valid_id(text: str) -> bool:
    """Whether a text may be a correlation id: 1 to 128 letters, digits and `. _ ~ : / + = @ | # -`."""
    return _ID.fullmatch(text) is not None


@contextlib.contextmanager
def bound(
    id: str | Correlation | None = None,
    *,
    traceparent: str | None = None,
    tracestate: str | None = None,
    new_id: Callable[[], str] = new_id,
) -> Iterator[Correlation]:
    """Bind a correlation for the time of a block. What is not given is what was bound around it; an id is made if need be.

    A `Correlation`, such as `extract` yields, is bound as it is. Raises UsageError where a value could not be carried.
    """
    around = _current.get() or Correlation("")
    if isinstance(id, Correlation):
        found = Correlation(id.id, traceparent or id.traceparent, tracestate or id.tracestate)
    elif traceparent is not None:
        found = Correlation(id or around.id or new_id(), traceparent, tracestate)
    else:
        found = Correlation(id or around.id or new_id(), around.traceparent, tracestate or around.tracestate)
    _refuse(found)
    token = _current.set(found)
    try:
        yield found
    finally:
        # A generator may be closed from another context than that in which it was begun: there is nothing to restore then.
        with contextlib.suppress(ValueError):
            _current.reset(token)


def context_with(found: Correlation) -> Context:
    """A copy of the context of here and now in which a correlation is bound, to run things in."""
    context = copy_context()
    context.run(_current.set, found)
    return context


def _refuse(found: Correlation) -> None:
    if not valid_id(found.id):
        raise UsageError(
            f"{found.id[:40]!r} cannot be a correlation id", hint="use 1 to 128 letters, digits and . _ ~ : / + = @ | # -"
        )
    if found.traceparent is not None and TraceParent.parse(found.traceparent) is None:
        raise UsageError(f"{found.traceparent[:60]!r} is not a traceparent", hint="the form is 00-<32 hex>-<16 hex>-<2 hex>")
    if found.tracestate is not None and tracestate([found.tracestate]) is None:
        raise UsageError("this tracestate cannot be carried", hint="the form is key=value,key=value, at most 512 characters")
