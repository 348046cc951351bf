"""Takes jobs in over HTTP: POST one as the body; GET says how many are done, and which was the last."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from store import Store, notify


class Front(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        """Takes a job in."""
        job = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Store().ask("LPUSH", "jobs", job)
        self._answer("taken in")

    def do_GET(self) -> None:
        """Says how far the work is."""
        store = Store()
        self._answer(f"{store.ask('LLEN', 'done')} {store.ask('LINDEX', 'done', '0')}")

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serves until it is ended."""
    with ThreadingHTTPServer((os.environ["ADDRESS"], int(os.environ["PORT"])), Front) as server:
        notify("READY=1")
        server.serve_forever()


if __name__ == "__main__":
    main()
