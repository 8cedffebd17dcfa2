"""Between the protobuf values of Pulumi's protocol and plain data.

The signatures are part of the protocol (pulumi sdk, python/lib/pulumi/runtime/rpc.py).
"""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import struct_pb2

from cli.offline.records import SECRET, UNKNOWN
from cli.plain_data import is_list, is_map

UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 a constant of the protocol
_RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_SHORTEST_SECRET: Final = 3
"""Characters from which a secret is masked in others' text, as in the engine: shorter ones are part of any word."""


def plain(struct: struct_pb2.Struct, secrets: set[str]) -> dict[str, Any]:
    """A Struct as plain data with sorted keys, and the texts of its secrets added to `secrets`."""
    return {key: _value(struct.fields[key], secrets) for key in sorted(struct.fields)}


def _value(value: struct_pb2.Value, secrets: set[str]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _struct(value.struct_value, secrets)
    if kind == "list_value":
        return [_value(item, secrets) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _struct(struct: struct_pb2.Struct, secrets: set[str]) -> Any:
    signature = struct.fields[_SIGNATURE].string_value if _SIGNATURE in struct.fields else ""
    if signature == _SECRET_SIGNATURE:
        _collect(_value(struct.fields["value"], secrets), secrets)
        return SECRET
    if signature == _RESOURCE_SIGNATURE:
        return struct.fields["urn"].string_value
    # Assets and archives keep their `path`, `text` or `uri`; the signature says nothing to a reader.
    return {key: _value(struct.fields[key], secrets) for key in sorted(struct.fields) if key != _SIGNATURE}


def _collect(value: Any, secrets: set[str]) -> None:
    """Note every text in a secret value, also within objects and lists."""
    if is_map(value):
        for item in value.values():
            _collect(item, secrets)
    elif is_list(value):
        for item in value:
            _collect(item, secrets)
    elif isinstance(value, str) and len(value) >= _SHORTEST_SECRET and value not in {SECRET, UNKNOWN}:
        secrets.add(value)


def without_internal(struct: struct_pb2.Struct) -> struct_pb2.Struct:
    """A copy without keys that begin with `__`, which the engine keeps from policy packs (plugin/rpc.go)."""
    copy = struct_pb2.Struct()
    for key, value in struct.fields.items():
        if not key.startswith("__"):
            copy.fields[key].CopyFrom(_without_internal(value))
    return copy


def _without_internal(value: struct_pb2.Value) -> struct_pb2.Value:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return struct_pb2.Value(struct_value=without_internal(value.struct_value))
    if kind == "list_value":
        items = [_without_internal(item) for item in value.list_value.values]
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
    return value


def with_text(struct: struct_pb2.Struct, added: Mapping[str, str]) -> struct_pb2.Struct:
    """A copy with text fields added."""
    copy = struct_pb2.Struct()
    copy.CopyFrom(struct)
    for key, text in added.items():
        copy.fields[key].string_value = text
    return copy
