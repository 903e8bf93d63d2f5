"""A receiver of webhooks on this machine, that answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Answer", "Receiver", "answering", "receiver"]

Answer = Callable[["BaseHTTPRequestHandler", threading.Event], None]


class Receiver:
    """What has come, as path, headers by their names in small letters, and body."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[tuple[str, dict[str, str], bytes]] = []


def answering(status: int, body: bytes = b"", **headers: str) -> Answer:
    """This status, body and headers (`_` for `-`)."""

    def answer(handler: BaseHTTPRequestHandler, _over: threading.Event) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def receiver(answers: Sequence[Answer] = ()) -> Iterator[Receiver]:
    """Answers each request with the next of the answers, and with 204 once there are none left."""
    over = threading.Event()
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            found.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            next(left, answering(204))(self, over)

        def do_GET(self) -> None:
            found.received.append((f"GET {self.path}", {}, b""))
            answering(204)(self, over)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}/in/secret-path")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
