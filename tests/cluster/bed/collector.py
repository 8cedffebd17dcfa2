"""A collector of traces and logs: a pod's address behind a Service, where a real gRPC server writes down everything.

As a program, `python collector.py LOG PORT`: each line of the log is a JSON object with `service`, `trace_id`,
`span_id`, `parent_span_id`, `name`, `kind` and `attributes` of a span, or with `service` and `record`, the attributes
of a record of a log. Field numbers: opentelemetry-proto, trace.proto, logs.proto and common.proto. Only text attributes
are read.
"""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc

_PORT: Final = 4317
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@contextmanager
def collector(cluster: Any, namespace: str, name: str) -> Generator[Path]:
    """A Service of this name, with a pod behind it in which the collector runs; yields its log."""
    labels = {"app": name}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": [{"name": "grpc-otlp", "port": _PORT}]},
    }
    container = {"name": "app", "image": "bed/sleep:1", "securityContext": {"runAsUser": 1000}}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    cluster.kubectl.apply(service, pod)
    cluster.wait_ready(namespace, f"app={name}")
    process = cluster.pods(namespace, f"app={name}")[0].pid("app")
    log = cluster.folder / f"{name}.jsonl"
    log.touch()
    command = ["nsenter", f"--target={process}", "--net", sys.executable, __file__, str(log), str(_PORT)]
    with (
        (cluster.folder / f"{name}.out").open("ab") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as server,
    ):
        try:
            yield log
        finally:
            server.kill()
            cluster.kubectl.run("delete", "pod,service", name, "-n", namespace, "--wait=false")


def spans(log: Path) -> list[Mapping[str, Any]]:
    """Every span that has arrived."""
    return [line for line in _arrived(log) if "record" not in line]


def records(log: Path) -> list[Mapping[str, Any]]:
    """Every record of a log that has arrived."""
    return [line for line in _arrived(log) if "record" in line]


def _arrived(log: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def _spans_of(request: bytes) -> Iterator[dict[str, Any]]:
    """The spans of an ExportTraceServiceRequest."""
    for service, span in _told(request):
        yield {
            "service": service,
            "trace_id": _only(span[1]).hex(),
            "span_id": _only(span[2]).hex(),
            "parent_span_id": _only(span[4]).hex(),
            "name": _only(span[5]).decode(),
            "kind": span[6][0] if span[6] else 0,
            "attributes": dict(_attributes(span[9])),
        }


def _records_of(request: bytes) -> Iterator[dict[str, Any]]:
    """The records of an ExportLogsServiceRequest."""
    for service, record in _told(request):
        yield {"service": service, "record": dict(_attributes(record[6]))}


def _told(request: bytes) -> Iterator[tuple[str | None, defaultdict[int, list[Any]]]]:
    """Who tells, and what: spans and records stand in messages of the same form."""
    for of_resource in _fields(request)[1]:
        whole = _fields(of_resource)
        service = {key: value for each in whole[1] for key, value in _attributes(_fields(each)[1])}.get("service.name")
        for of_scope in whole[2]:
            for encoded in _fields(of_scope)[2]:
                yield service, _fields(encoded)


def _attributes(key_values: list[Any]) -> Iterator[tuple[str, str]]:
    for each in key_values:
        pair = _fields(each)
        yield _only(pair[1]).decode(), _only(_fields(_only(pair[2]))[1]).decode()


def _only(values: list[Any]) -> bytes:
    return values[0] if values else b""


def _fields(message: bytes) -> defaultdict[int, list[Any]]:
    """A message's values by field number (protobuf.dev, Encoding)."""
    found: defaultdict[int, list[Any]] = defaultdict(list)
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
        else:
            if kind == _BYTES:
                length, at = _varint(message, at)
            else:
                length = {_FIXED64: 8, _FIXED32: 4}[kind]
            value, at = message[at : at + length], at + length
        found[number].append(value)
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _serve(log: Path, port: int) -> None:
    lock = threading.Lock()

    class Everything(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            read = _records_of if ".logs." in handler_call_details.method else _spans_of

            def answer(request: bytes, _context: Any) -> bytes:
                with lock, log.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(each) + "\n" for each in read(request))
                return b""

            make: Any = grpc.unary_unary_rpc_method_handler
            return make(answer)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Everything()])
    server.add_insecure_port(f"0.0.0.0:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
