"""HTTP of a host outside: what it writes down, and how it answers.

A path with a number in it, as `/wait/2`, is answered after so many seconds; `/fail/3` with 503 until it was asked three
times. Beside the log may stand two files, read anew for each request: one that ends in `.pages` has texts to answer
with, by path; one in `.behaviours` has `status` and `seconds` by the beginning of paths, of which the longest counts.
Whoever asks for a WebSocket gets one that sends each text back.
"""

import json
import socketserver
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast

from tests.cluster.bed.openid_provider import Answer
from tests.cluster.bed.web_socket import accepted, frame, read_frame

Answering = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""What answers to method, path with query, headers and body."""
PEER: Final = "x-peer"
"""The header in which what answers finds who asks."""
_lock = threading.Lock()
_asked: Counter[str] = Counter()


def write(log: Path, **line: Any) -> None:
    """Write a line down."""
    with _lock, log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


class HttpHost(ThreadingHTTPServer):
    """A port of a host outside."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        name: str,
        log: Path,
        port: int,
        context: ssl.SSLContext | None = None,
        answering: Answering | None = None,
    ) -> None:
        """Begin to listen.

        Args:
            name: of the host.
            log: what it writes down.
            port: where it listens.
            context: of its TLS, if it has any.
            answering: what answers instead of pages and behaviours.
        """
        self.name, self.log, self.context = name, log, context
        self.answering = answering or self._answer
        super().__init__(("", port), _Handler)

    def server_bind(self) -> None:
        """Bind, without the look-up of the own name, which waits for DNS."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.name, self.server_address[1]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Take a connection, and shake hands in its own thread."""
        self.write("connection", client_address[0])
        if self.context is not None:
            request.settimeout(10)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                request.close()
                return
        super().process_request_thread(request, client_address)

    def write(self, event: str, peer: str, **more: Any) -> None:
        """Write a line down."""
        protocol = "http" if self.context is None else "https"
        write(self.log, event=event, protocol=protocol, port=self.server_port, peer=peer, **more)

    def _answer(self, _method: str, path: str, headers: Mapping[str, str], _body: bytes) -> Answer:
        behaviour = _behaviour(_read(self.log.with_suffix(".behaviours")), path)
        time.sleep(behaviour.get("seconds", 0))
        status = int(behaviour.get("status", HTTPStatus.OK))
        _, kind, number, *_ = [*path.split("/"), "", ""]
        if kind == "wait":
            time.sleep(int(number))
        if kind == "fail":
            _asked[path] += 1
            status = HTTPStatus.SERVICE_UNAVAILABLE if _asked[path] <= int(number) else status
        page = _read(self.log.with_suffix(".pages")).get(path, f"{self.name} saw {headers[PEER]}\n")
        return Answer(status=status, body=page.encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def host(self) -> HttpHost:
        """Whose port it is."""
        return cast("HttpHost", self.server)

    def do_GET(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        peer = self.client_address[0]
        asked = {"method": self.command, "path": self.path, "headers": headers, "size": len(body)}
        self.host.write("request", peer, **asked, **_tls(self.connection))
        if headers.get("upgrade", "").lower() == "websocket":
            self._echo(headers)
            return
        answer = self.host.answering(self.command, self.path, {**headers, PEER: peer}, body)
        self.send_response(answer.status)
        self._send_headers({"x-server": self.host.name, **answer.headers, "content-length": str(len(answer.body))})
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_DELETE = do_HEAD = do_PATCH = do_POST = do_PUT = do_GET  # noqa: N815 - the library's names

    def _echo(self, headers: Mapping[str, str]) -> None:
        self.send_response(HTTPStatus.SWITCHING_PROTOCOLS)
        accept = accepted(headers.get("sec-websocket-key", ""))
        self._send_headers({"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-accept": accept})
        while (text := read_frame(self.rfile.read)) is not None:
            self.wfile.write(frame(text))
        self.close_connection = True

    def _send_headers(self, headers: Mapping[str, str]) -> None:
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing: the log has it."""


def _behaviour(told: Mapping[str, Mapping[str, float]], path: str) -> Mapping[str, float]:
    """What is told of the longest beginning of a path."""
    return told.get(max((start for start in told if path.startswith(start)), key=len, default=""), {})


def _tls(connection: Any) -> dict[str, str | None]:
    """Of a connection with TLS: the name that was asked for, the client certificate's if it showed one, the version."""
    if not isinstance(connection, ssl.SSLSocket):
        return {"sni": None, "client": None, "tls": None}
    shown: Any = connection.getpeercert()
    client = str(shown["subjectAltName"][0][1]) if shown else None
    return {"sni": getattr(connection, "sni", None), "client": client, "tls": connection.version()}


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
