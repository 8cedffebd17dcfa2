"""A host outside: answers HTTP, HTTPS, TCP and gRPC, and writes down who asked what.

`python outside_server.py NAME LOG CERTIFICATE KEY AUTHORITY PROTOCOL:PORT...`, with a protocol of `http`, `https`,
`mutual` (https for clients with a certificate of AUTHORITY), `tcp`, `grpc`. A path with a number in it, as
`/wait/2`, is answered after so many seconds; `/fail/3` with 503 until it was asked three times.
Every line of the log is a JSON object with `event` (`request` or `connection`), `protocol`, `port`, `peer` (the
address that asked), and of a request also `method`, `path`, `headers`, and of TLS `sni` and `client`. Texts to answer
with, by path, are read from beside the log, in a file that ends in `.pages`.
"""

import json
import signal
import socketserver
import ssl
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc

_lock = threading.Lock()
_asked: Counter[str] = Counter()


def _write(log: Path, **line: Any) -> None:
    with _lock, log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _status(path: str) -> int:
    """The status for a path; one that says how long it takes is waited for."""
    _, kind, number, *_ = [*path.split("/"), "", ""]
    if kind == "wait":
        time.sleep(int(number))
    if kind == "fail":
        _asked[path] += 1
        return 503 if _asked[path] <= int(number) else 200
    return 200


def _client(connection: Any) -> str | None:
    """The name in the client's certificate, if it showed one."""
    shown = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    return None if not shown else str(shown["subjectAltName"][0][1])


def _pages(log: Path) -> dict[str, str]:
    file = log.with_suffix(".pages")
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def _http(name: str, log: Path, port: int, context: ssl.SSLContext | None) -> None:
    protocol = "http" if context is None else "https"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            sni = getattr(self.connection, "sni", None)
            status = _status(self.path)
            headers = {key.lower(): value for key, value in self.headers.items()}
            peer = self.client_address[0]
            asked = {"method": self.command, "path": self.path, "headers": headers, "sni": sni}
            asked["client"] = _client(self.connection)
            _write(log, event="request", protocol=protocol, port=port, peer=peer, **asked)
            body = _pages(log).get(self.path, f"{name} saw {peer}\n").encode()
            self.send_response(status)
            self.send_header("x-server", name)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_POST = do_GET  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Nothing: the log has it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def server_bind(self) -> None:
            socketserver.TCPServer.server_bind(self)  # without the look-up of the own name, which waits for DNS
            self.server_name, self.server_port = name, port

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            _write(log, event="connection", protocol=protocol, port=port, peer=client_address[0])
            if context is not None:
                request.settimeout(10)
                try:
                    request = context.wrap_socket(request, server_side=True)
                except OSError:
                    request.close()
                    return
            super().process_request_thread(request, client_address)

    Server(("", port), Handler).serve_forever()


def _tcp(name: str, log: Path, port: int) -> None:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _write(log, event="connection", protocol="tcp", port=port, peer=self.client_address[0])
            self.wfile.write(f"{name} saw {self.client_address[0]}\n".encode())

    socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer(("", port), Handler).serve_forever()


def _grpc(name: str, log: Path, port: int) -> None:
    class Everything(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            def answer(_request: bytes, context: Any) -> bytes:
                peer = context.peer().removeprefix("ipv4:").rpartition(":")[0]
                _write(
                    log,
                    event="request",
                    protocol="grpc",
                    port=port,
                    peer=peer,
                    path=handler_call_details.method,
                    headers={},
                )
                return f"{name} saw {peer}\n".encode()

            make: Any = grpc.unary_unary_rpc_method_handler
            return make(answer)

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Everything()])
    server.add_insecure_port(f"0.0.0.0:{port}")
    server.start()
    server.wait_for_termination()


def _context(certificate: str, key: str, authority: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    if authority is not None:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED

    def remember(connection: Any, sni: str | None, _context: ssl.SSLContext) -> None:
        connection.sni = sni

    context.sni_callback = remember
    return context


if __name__ == "__main__":
    host, log_file, certificate_file, key_file, authority_file, *listeners = sys.argv[1:]
    for listener in listeners:
        kind, _, number = listener.partition(":")
        serve, arguments = {
            "http": (_http, (None,)),
            "https": (_http, (_context(certificate_file, key_file),)),
            "mutual": (_http, (_context(certificate_file, key_file, authority_file),)),
            "tcp": (_tcp, ()),
            "grpc": (_grpc, ()),
        }[kind]
        threading.Thread(target=serve, args=(host, Path(log_file), int(number), *arguments), daemon=True).start()
    signal.pause()  # gRPC's threads work only as long as the main one does
