"""A correlation id and the W3C trace context, carried from service to service.

    from sagacity import correlation

    app = correlation.ASGIMiddleware(app)                  # in: HTTP
    client.get(url, headers=correlation.headers())         # out: HTTP
    with correlation.bound(correlation.extract(headers)):  # in: anything that has headers
        ...

What is carried belongs to the task or thread that bound it (a context variable). `sagacity.correlation.grpc` has
interceptors, `sagacity.correlation.kafka` and `sagacity.correlation.httpx` what those need; only the first imports the
library that it is for.
"""

from __future__ import annotations

from sagacity.correlation.asgi import ASGIMiddleware
from sagacity.correlation.carried import Carried, Headers, attributes, extract, headers, inject
from sagacity.correlation.context import Correlation, bound, current, new_id
from sagacity.correlation.traceparent import TraceParent

__all__ = [
    "ASGIMiddleware", "Carried", "Correlation", "Headers", "TraceParent", "attributes", "bound", "current", "extract",
    "headers", "inject", "new_id",
]  # fmt: skip
