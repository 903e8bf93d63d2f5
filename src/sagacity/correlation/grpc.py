"""gRPC in and out: interceptors for its clients and servers, with threads (`grpc`) and without (`grpc.aio`).

    grpc.intercept_channel(channel, ClientInterceptor())
    grpc.server(pool, interceptors=[ServerInterceptor()])
    grpc.aio.insecure_channel(target, interceptors=aio_client_interceptors())
    grpc.aio.server(interceptors=[AioServerInterceptor()])

Imports grpc, which the application brings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import grpc.aio

from sagacity.correlation.carried import extract, fields_of
from sagacity.correlation.context import Correlation, bound, context_with, current, new_id

__all__ = ["AioServerInterceptor", "ClientInterceptor", "ServerInterceptor", "aio_client_interceptors"]


class _Details(grpc.ClientCallDetails):
    """The details of a call, as the interceptor found them but for the metadata."""

    def __init__(self, details: Any, metadata: list[tuple[str, Any]]) -> None:
        self.method = details.method
        self.timeout = details.timeout
        self.metadata = metadata
        self.credentials = details.credentials
        self.wait_for_ready = getattr(details, "wait_for_ready", None)
        self.compression = getattr(details, "compression", None)


def _metadata(details: Any) -> list[tuple[str, Any]]:
    found = list(details.metadata or ())
    return [*found, *fields_of(current(), {name.lower() for name, _ in found})]


class ClientInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Adds what is bound to the metadata of each call."""

    def _go(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(_Details(details, _metadata(details)), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = _go


async def _aio_go(_self: Any, continuation: Any, details: Any, request: Any) -> Any:
    metadata = grpc.aio.Metadata(*_metadata(details))
    return await continuation(details._replace(metadata=metadata), request)


def aio_client_interceptors() -> list[Any]:
    """Adds what is bound to the metadata of each call. One interceptor a kind of call: the library takes no other."""
    return [
        type(f"Correlated{kind}", (getattr(grpc.aio, f"{kind}ClientInterceptor"),), {method: _aio_go})()
        for kind, method in (
            ("UnaryUnary", "intercept_unary_unary"),
            ("UnaryStream", "intercept_unary_stream"),
            ("StreamUnary", "intercept_stream_unary"),
            ("StreamStream", "intercept_stream_stream"),
        )
    ]


class ServerInterceptor(grpc.ServerInterceptor):
    """Binds what a call's metadata carries for as long as it is answered."""

    def __init__(self, *, new_id: Callable[[], str] = new_id) -> None:
        self._new_id = new_id

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        found = extract(handler_call_details.invocation_metadata, new_id=self._new_id)
        return _rehandled(continuation(handler_call_details), lambda behave, streams: _within(found, behave, streams))


class AioServerInterceptor(grpc.aio.ServerInterceptor):
    """The same, for a server without threads."""

    def __init__(self, *, new_id: Callable[[], str] = new_id) -> None:
        self._new_id = new_id

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        found = extract(handler_call_details.invocation_metadata, new_id=self._new_id)
        return _rehandled(await continuation(handler_call_details), lambda behave, streams: _aio(found, behave, streams))


def _rehandled(handler: Any, wrapped: Callable[[Any, bool], Any]) -> Any:
    """The handler of a method with its behaviour wrapped; None, for a method that is not served, stays None."""
    if handler is None:
        return None
    kind = f"{'stream' if handler.request_streaming else 'unary'}_{'stream' if handler.response_streaming else 'unary'}"
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(
        wrapped(getattr(handler, kind), handler.response_streaming),
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


def _within(found: Correlation, behave: Any, streams: bool) -> Any:
    """A behaviour in a context of its own, since one thread serves many calls, and one call may see many threads."""

    def answered(request: Any, call: Any) -> Any:
        return context_with(found).run(behave, request, call)

    def streamed(request: Any, call: Any) -> Iterator[Any]:
        context = context_with(found)
        answers = context.run(lambda: iter(behave(request, call)))
        end = object()
        try:
            while (answer := context.run(next, answers, end)) is not end:
                yield answer
        finally:
            if hasattr(answers, "close"):
                context.run(answers.close)

    return streamed if streams else answered


def _aio(found: Correlation, behave: Any, streams: bool) -> Any:
    """Each call is served by a task of its own. A behaviour may yield its answers, or write them to the call."""

    async def answered(request: Any, call: Any) -> Any:
        with bound(found):
            answer = behave(request, call)
            return await answer if inspect.isawaitable(answer) else answer

    async def streamed(request: Any, call: Any) -> Any:
        with bound(found):
            async for answer in behave(request, call):
                yield answer

    return streamed if streams and inspect.isasyncgenfunction(behave) else answered
