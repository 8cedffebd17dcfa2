"""An external authorizer, as Envoy asks it: requests with `x-judge: yes` may pass.

By HTTP on port 8000 (a status of 200 or 403), by gRPC on port 9000 (`envoy.service.auth.v3.Authorization/Check`); with
the path of a socket as its argument, by gRPC there and nowhere else. For every question it prints a JSON object with
`protocol` and `host`; by HTTP also `path`, and as `client` what a sidecar says of who asks.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import grpc

_YES: Final = b"\x0a\x07x-judge\x12\x03yes"
"""An entry of the map `headers` in a CheckRequest: key (field 1) and value (field 2), both of wire type 2."""
_OK: Final = b"\x0a\x00"
"""A CheckResponse: `status` (field 1) of code 0."""
_DENIED: Final = b"\x0a\x02\x08\x07"
"""The same of code 7, PERMISSION_DENIED."""


_HOST: Final = b"\x0a\x0a:authority\x12"
"""The beginning of another entry of that map, up to the length of its value."""


def _host(request: bytes) -> str:
    """For which host a CheckRequest is; one of up to 127 characters."""
    _, _, rest = request.partition(_HOST)
    return rest[1 : 1 + rest[0]].decode() if rest else ""


def _tell(protocol: str, host: str, **more: str) -> None:
    print(json.dumps({"protocol": protocol, "host": host, **more}), flush=True)


class _ByHttp(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        client = self.headers.get("x-forwarded-client-cert", "")
        _tell("http", self.headers.get("host", ""), path=self.path, client=client)
        self.send_response(200 if self.headers.get("x-judge") == "yes" else 403)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing: each question is told already."""


class _ByGrpc(grpc.GenericRpcHandler):
    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method != "/envoy.service.auth.v3.Authorization/Check":
            return None

        def check(request: bytes, _context: Any) -> bytes:
            _tell("grpc", _host(request))
            return _OK if _YES in request else _DENIED

        make: Any = grpc.unary_unary_rpc_method_handler
        return make(check)


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(4), handlers=[_ByGrpc()])
    if len(sys.argv) > 1:
        server.add_insecure_port(f"unix:{sys.argv[1]}")
    else:
        threading.Thread(target=ThreadingHTTPServer(("", 8000), _ByHttp).serve_forever, daemon=True).start()
        server.add_insecure_port("0.0.0.0:9000")
    server.start()
    server.wait_for_termination()
