"""Servers of others that an instance talks to, as small as a benchmark needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def serving(reply: Callable[[BaseHTTPRequestHandler], bytes]) -> Iterator[str]:
    """A server on a free port of this machine.

    Args:
        reply: Returns the JSON that answers a request.

    Yields:
        Its URL.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = reply(self)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
