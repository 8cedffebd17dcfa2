"""How `egress check` reads files: what kubectl would make of them, or a refusal with its line, whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from manifests import NAMESPACE

from cli.check import reading
from cli.check.documents import MAX_DEPTH, MAX_REFUSALS
from cli.check.reading import read_documents
from policy.registry import judge_object
from policy.subjects import subjects_of

# What sigs.k8s.io/yaml 1.6.0 gives for `a: <text>`, tried with it.
PLAIN_SCALARS: dict[str, object] = {
    "yes": True, "No": False, "on": True, "OFF": False, "y": True, "N": False, "true": True, "~": None, "null": None,
    "yEs": "yEs", "nULL": "nULL", "=": "=",
    "0644": 420, "0o17": 15, "0x1F": 31, "0b101": 5, "-0b11": -3, "0b102": "0b102", "007": 7, "089": 89, "0o8": "0o8",
    "1_000": 1000, "1__0": 10, "0_": 0, "_1": "_1", "-0": 0, "+7": 7,
    "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63),
    "1.0": 1, "1e3": 1000, "1.5": 1.5, ".5": 0.5, "-.5": -0.5, "1.": 1, "1_0.5": 10.5, "1e21": 1e21, "0.1e-7": 1e-8,
    "2001-01-01": "2001-01-01", "2001-12-14t21:59:43.10-05:00": "2001-12-14t21:59:43.10-05:00",
    "1:30": "1:30", "190:20:30": "190:20:30", "1.2.3": "1.2.3", "0x": "0x", ".": ".",
    "'yes'": "yes", '"1"': "1", "!!str 5": "5", "!!str yes": "yes", "|-\n  1": "1", "a\n  b": "a b",
}  # fmt: skip
REFUSED_SCALARS = [
    ".inf", "-.Inf", ".NaN", "1e400", "9223372036854775808", "-9223372036854775809", "1" * 5000, "0x" + "f" * 500,
    ".5_0", "0b-11", "!!int 5", "!!binary aGk=", "!secret x", "!!timestamp 2001-01-01", "*x", "&x [*x]",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
FRAGMENTS = st.sampled_from(
    ["a", "b: ", "\n", "- ", "  ", "{", "}", "[", "]", ",", "&x ", "*x", "<<: ", "'", '"', "|", "#", "? ", "!!str ",
     "1", "---\n", "...\n", "%YAML 1.1\n", "\t", ">", "\\", "\x00", "\x85", "\u2028", "\ufeff", "kind: List\n",
     "items: "]
)  # fmt: skip


def value_of(text: str) -> Any:
    """The only document's value."""
    (document,) = read_documents(text.encode())
    assert document.refusals == ()
    return document.value


def refusals(text: str | bytes) -> list[tuple[int, str]]:
    """Line and reason of each refusal of a file."""
    content = text.encode() if isinstance(text, str) else text
    return [(each.line, each.why) for document in read_documents(content) for each in document.refusals]


@pytest.mark.parametrize(("text", "value"), PLAIN_SCALARS.items())
def test_plain_scalars_are_what_kubectl_makes_of_them(text: str, value: object) -> None:
    """Guards against an object that is judged as something else than the API server gets."""
    read = value_of(f"a: {text}\n")["a"]
    assert (read, type(read)) == (value, type(value))


def test_whole_numbers_are_keys_as_text() -> None:
    """Guards against a ConfigMap of ports that kubectl takes and we refuse."""
    assert value_of("404: a\n-1: b\n") == {"404": "a", "-1": "b"}


@pytest.mark.parametrize("text", REFUSED_SCALARS)
def test_what_readers_round_or_disagree_on_is_refused(text: str) -> None:
    """Guards against a value that is one thing here and another in the cluster."""
    assert [line for line, _ in refusals(f"x:\n  a: {text}\n")] == [2]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' is written twice; write it once"),
        ("a: {b: 1,\n  'b': 2}\n", 2, "the key 'b' is written twice; write it once"),
        ("x: 1\nyes: 2\n", 2, "a key that is not text; write it in quotes"),
        ("1.5: 2\n", 1, "a key that is not text; write it in quotes"),
        ("0644: 2\n", 1, "a key that is not text; write it in quotes"),
        ("1: 2\n'1': 3\n", 2, "the key '1' is written twice; write it once"),
        ("? [a]\n: 2\n", 1, "a key that is not text; write it in quotes"),
        ("a: 1\nb: @x\n", 2, "not YAML: while scanning for the next token found character that cannot start any token"),
        ("a: 'x\n\nb: 1\n", 1, "not YAML: while scanning a quoted scalar found unexpected end of stream"),
        ("a: 1\nb: \x07\n", 2, "not YAML: control characters are not allowed"),
        ("a: 1\n---\nb: [\n", 3, "not YAML: while parsing a flow node did not find expected node content"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "not UTF-8"),
        ('{"a": 1,\n "b": {"c": 1,\n "c": 2}}', 3, "the key 'c' is written twice; write it once"),
        ('{"a": NaN}', 1, "NaN or Infinity, which is not JSON"),
        ('\n{"a": 1e999}', 2, "a number of more than 64 bits, which readers round"),
        ('{"a": 9223372036854775808}', 1, "a number of more than 64 bits, which readers round"),
        ('{"a": "\\ud800"}', 1, "half of a surrogate pair, which readers replace"),
        ("a: 1\nb: 2\n<<: {a: 3}\n", 3, "a `<<` that holds keys which stand before it; write `<<` first"),
        ("<<: {a: 1}\n<<: {b: 2}\n", 2, "a second `<<`; write one, with a list"),
        ("<<: 1\n", 1, "a `<<` that holds no map"),
        ("a: '\n---#\n  '\n", 2, "a line that kubectl takes for `---` and YAML does not"),
        ("a: '\n---\xa0\n  '\n", 2, "a line that kubectl takes for `---` and YAML does not"),
    ],
)
def test_refusals_have_their_line(text: str | bytes, line: int, why: str) -> None:
    """Guards against a file whose two readings differ, and against a refusal that nobody can find."""
    found = refusals(text)
    assert found[0][0] == line
    assert found[0][1].startswith(why)


def test_json_is_read_as_kubectl_does() -> None:
    """Guards against JSON that YAML's rules change, and against values after the first that are not judged."""
    text = '\ufeff {"a": "\\ud83d\\ude00", "b": 1.0, "c": "\\/"}\n{"d": [true, null]}'
    documents = read_documents(text.encode())
    assert [document.value for document in documents] == [{"a": "😀", "b": 1, "c": "/"}, {"d": [True, None]}]
    assert [document.line for document in documents] == [1, 2]
    first: Any = documents[0].value
    assert type(first["b"]) is int


def test_yaml_that_begins_like_json_is_read() -> None:
    """Guards against a flow map, or JSON with a YAML document behind it, that is refused or read in part."""
    assert value_of("{a: 1, b: [yes]}\n") == {"a": 1, "b": [True]}
    assert [document.value for document in read_documents(b'{"a": 1}\n---\nb: 2\n')] == [{"a": 1}, {"b": 2}]


def test_empty_documents_are_left_out() -> None:
    """Guards against a finding about what kubectl skips."""
    documents = read_documents(b"# nothing\n---\n---\na: 1\n---\nnull\n---\n~\n...\n")
    assert [(document.index, document.line, document.value) for document in documents] == [(1, 4, {"a": 1})]


def test_anchors_and_merge_keys() -> None:
    """Guards against manifests that kubectl takes and we refuse."""
    text = "x: &x {a: 1, b: 2}\nd: {<<: *x, b: 3}\ne: {<<: [{a: 4}, *x], c: *x}\n"
    assert value_of(text) == {
        "x": {"a": 1, "b": 2},
        "d": {"a": 1, "b": 3},
        "e": {"a": 4, "b": 2, "c": {"a": 1, "b": 2}},
    }


def test_documents_before_a_fault_are_read() -> None:
    """Guards against an unsafe object that a broken one behind it hides."""
    documents = read_documents(f"{NAMESPACE}---\na: [".encode())
    assert [bool(document.refusals) for document in documents] == [False, True]


def test_refusals_are_bounded() -> None:
    """Guards against a report that is longer than the file."""
    found = refusals("a: !x 1\n" + "".join(f"a{number}: !x 1\n" for number in range(1_000)))
    assert len(found) == MAX_REFUSALS
    assert found[-1][1].endswith("the rest of the file was not read")


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against a file that takes all memory."""
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    assert [line for line, _ in refusals("a: 123456789\n")] == [1]


def bomb(levels: int, width: int) -> str:
    """Aliases of aliases: a few lines that stand for width to the power of levels."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        bomb(30, 9),
        bomb(9, 9),
        f"x: &x '{'x' * 1_000_000}'\ny: [{', '.join(['*x'] * 100_000)}]",
        "a0: &a0 {x: 1}\n"
        + "\n".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: *a{n - 1}}}" for n in range(1, 99)),
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        "- " * 1_000_000,
        "? " * 1_000_000,
        "".join(f"{' ' * n}a:\n" for n in range(1_500)),
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "&a " * 100_000,
        "!x " * 100_000,
        "a: " + "1" * 5_000_000,
        '{"a": ' + "1" * 5_000_000 + "}",
        '"' + "\\x41" * 500_000,
        "%TAG ! x\n" * 10_000,
        "\x00" * 1_000_000,
        "a: *a\n" * 100_000,
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_bombs_are_refused(text: str) -> None:
    """Guards against a hang, a crash or a `fine`: aliases, depth, length."""
    assert refusals(text) != []


def test_the_deepest_that_is_read() -> None:
    """Guards against a limit that cuts off what is allowed, in either syntax."""
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert refusals(text) == []
    assert refusals(f"# YAML\n{text}") == []
    assert refusals(f"[{text}]") != []
    assert refusals(f"# YAML\n[{text}]") != []


@settings(deadline=None, max_examples=300)
@given(content=st.binary(max_size=200) | st.lists(FRAGMENTS, max_size=40).map("".join).map(str.encode))
@example(content=b"")
@example(content=b"\xef\xbb\xbf")
@example(content=b"&a *a")
@example(content=b"*a : *a")
@example(content=b"? *a\n: &a b")
def test_any_bytes_end_in_documents(content: bytes) -> None:
    """Guards against a crash of the reader, and against values that rules cannot judge."""
    for document in read_documents(content):
        if document.refusals:
            assert all(refusal.line >= 1 for refusal in document.refusals)
        else:
            value: Any = document.value
            json.dumps(value, allow_nan=False).encode()


@settings(deadline=None, max_examples=100)
@given(value=st.dictionaries(st.text(), VALUES))
def test_any_json_is_read_or_refused(value: dict[str, Any]) -> None:
    """Guards against JSON that comes out otherwise than it went in."""
    (document,) = read_documents(json.dumps(value).encode())
    if not document.refusals:
        assert document.value == value


@settings(deadline=None, max_examples=100)
@given(kind=st.sampled_from(["Backend", "ServiceEntry", "List", "NetworkPolicyList"]), value=VALUES)
def test_any_value_gets_a_verdict(kind: str, value: Any) -> None:
    """Guards against a rule that crashes on what a file may hold, instead of judging it."""
    whole = {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": kind, "metadata": value, "items": value}
    for document in read_documents(json.dumps(whole | {"spec": value}).encode()):
        for subject in subjects_of(document.value):
            found = judge_object(subject, _context())
            assert not any("the rule itself failed" in violation.message for violation in found)


def _context() -> Any:
    from cli.check.context import context_of

    return context_of(None)
