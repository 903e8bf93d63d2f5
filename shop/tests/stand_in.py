"""A service as small as one can be, in place of a real one: `stand_in.py NAME`, configured by the same variables.

Ready at once; answers requests with its name and number; ends on SIGTERM, and in the middle of a request that asks for it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.endswith(f"/dies-with/{os.getpid()}"):
            os._exit(1)
        body = json.dumps({"service": sys.argv[1], "pid": os.getpid(), "path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: ARG002
        """Only what is asked for by others than whoever looks after it."""
        if self.path != "/readyz":
            print(json.dumps({"level": "info", "event": "asked", "path": self.path}), flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asks whether it is well does not always wait for the end of the answer."""


def main() -> int:
    name = sys.argv[1]
    server = Server(("127.0.0.1", int(os.environ[f"{name.upper()}_HTTP_PORT"])), Answers)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(json.dumps({"level": "info", "event": "ready", "service": name}), flush=True)
    server.serve_forever()
    server.server_close()
    print(json.dumps({"level": "info", "event": "drained", "service": name}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
