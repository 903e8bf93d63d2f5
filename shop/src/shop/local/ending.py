"""When to end: a signal says so, and another one insists."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

__all__ = ["ending"]

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECOND_AFTER = 1.0
_SIGNAL, _NO_MORE = b"s", b"n"


@contextlib.contextmanager
def ending() -> Iterator[threading.Event]:
    """Set once a signal says so. Another one, later than by chance, leaves nothing to be waited for."""
    ended = threading.Event()
    heard, told = os.pipe()

    def listen() -> None:
        # A thread's work and not the handler's: a handler may interrupt the very lock that it would need.
        first: float | None = None
        while os.read(heard, 1) == _SIGNAL:
            first = first or time.monotonic()
            if time.monotonic() - first > _SECOND_AFTER:
                os._exit(1)  # the kernel, or the next `down`, ends what was started
            ended.set()

    listening = threading.Thread(target=listen, name="signals", daemon=True)
    listening.start()
    before = {number: signal.signal(number, lambda *_: os.write(told, _SIGNAL) and None) for number in _ENDINGS}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(told, _NO_MORE)
        listening.join()
        os.close(heard)
        os.close(told)
