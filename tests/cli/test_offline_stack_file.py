"""The stack file as the engine reads it.

The expected texts are what Pulumi 3.259.0 gave for the same files (LoadProjectStackBytes and config.Map.Decrypt,
called from Go); tests/engine compares whole stacks with the engine itself.
"""

import json
from pathlib import Path

import pytest

from cli.errors import SettingsFileError
from cli.offline.project import load_project
from cli.offline.stack_file import StackConfig, read_stack_file

KEY = "cluster-egress:a"


@pytest.fixture
def read(tmp_path: Path) -> "Read":
    """Reads a stack file with the given text."""
    return Read(tmp_path)


class Read:
    """A project whose `dev` stack is rewritten for each reading."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "Pulumi.yaml").write_text("name: cluster-egress\nruntime: python\n")

    def __call__(self, text: str, stack: str = "dev") -> StackConfig:
        (self.directory / "Pulumi.dev.yaml").write_bytes(text.encode())
        return read_stack_file(load_project(self.directory), stack)

    def value(self, value: str) -> str:
        """The text of one key that holds `value`."""
        return self(f"config:\n  {KEY}: {value}\n").config[KEY]

    def report(self, text: str) -> str:
        """The report on a file that is refused."""
        with pytest.raises(SettingsFileError) as error:
            self(text)
        return str(error.value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0o17", "15"),
        ("0x1F", "31"),
        ("1e3", "1000"),
        ("1.0", "1"),
        ("1.5", "1.5"),
        ("-0.0", "0"),
        ("-0", "0"),
        ("1e-7", "1e-7"),
        ("0.00001", "0.00001"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("1e6", "1000000"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("~", ""),
        ("", ""),
        ("null", ""),
        ("True", "true"),
        ("+12", "12"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("0x", "0x"),
        ("é", "é"),
        ("'2027-01-01'", "2027-01-01"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("[1, null, true]", "[1,null,true]"),
        ("{k: 0.1, z: [], a: '<>&'}", '{"a":"\\u003c\\u003e\\u0026","k":0.1,"z":[]}'),
        ("{a: 9007199254740993}", '{"a":9007199254740993}'),
        ("{secure: {x: 1}}", '{"secure":{"x":1}}'),
        ("{secure: abc, y: 1}", '{"secure":"abc","y":1}'),
        ("|\n    a\n    b", "a\nb\n"),
        ("&x [1]\n  cluster-egress:b: *x", "[1]"),
    ],
)
def test_values_reach_the_program_as_from_the_engine(read: Read, written: str, expected: str) -> None:
    """Guards against settings that pass offline and mean something else under `pulumi`."""
    assert read.value(written) == expected


@pytest.mark.parametrize(
    ("written", "wrong", "instead"),
    [
        ("2027-06-30", "`2027-06-30` is a date without quotes", '"2027-06-30" in quotes'),
        ("2027-06-30T10:00:00Z", "is a date without quotes", '"2027-06-30T10:00:00Z" in quotes'),
        ("0777", "`0777` begins with a zero", '"0777" in quotes, or 777 as a number'),
        ("0b1", "is a number to the engine and text to YAML 1.2", '"0b1" in quotes'),
        ("1_000", "is a number to the engine and text to YAML 1.2", '"1_000" in quotes'),
        ("-0x1F", "is a number to the engine and text to YAML 1.2", '"-0x1F" in quotes'),
        ("9223372036854775808", "of more than 64 bits", "in quotes"),
        (".inf", "is not a number that can reach the program", '".inf" in quotes'),
        ("1e999", "too large", '"1e999" in quotes'),
        ("!!str 1", "has the tag", "without a tag"),
        ("!foo b", "has the tag `!foo`", "without a tag"),
        ("{443: x}", "the key `443` is not text", '"443"'),
        ("{true: x}", "the key `true` is not text", '"true"'),
        ("{~: x}", "the key `~` is not text", '"~"'),
        ("{2027-01-01: x}", "the key `2027-01-01` is not text", '"2027-01-01"'),
        ("{[1]: x}", "a key that is not text", "a name"),
        ("{a: 1, a: 2}", "the key `a` is written twice", "one of the two"),
        ("{<<: {a: 1}}", "the merge key `<<`", "the keys themselves"),
        ("{'<<': {a: 1}}", "the merge key `<<`", "the keys themselves"),
        ("{secure: 5}", "`secure:` holds no text", "pulumi config set --secret"),
        ("*x", "`*x` names no anchor before it", "`&x` first"),
        ("&a [*a]", "`*a` names no anchor before it", "`&a` first"),
        (r'"a\/b"', "the engine does not know", "without a backslash"),
        ("'\u2028'", "a line break only to YAML 1.1", "a space"),
    ],
)
def test_what_two_readers_read_differently_is_refused(read: Read, written: str, wrong: str, instead: str) -> None:
    """Guards against values that the engine changes on the way: a date that becomes a time stamp, 0777 that is 511."""
    report = read.report(f"config:\n  {KEY}: 1\n  cluster-egress:b: {written}\n")
    assert "Pulumi.dev.yaml:3: " in report
    assert wrong in report
    assert f"instead: {instead}" in report or instead in report


def test_every_refused_place_is_reported_at_once(read: Read) -> None:
    """Guards against a reader that stops at the first mistake, so that an operator needs a run for each."""
    report = read.report("config:\n  cluster-egress:destinations:\n    x:\n      a: 2027-01-01\n      l: [1, 0777]\n")
    assert report.splitlines()[0] == "Pulumi.dev.yaml: 2 problems"
    assert "  Pulumi.dev.yaml:4: destinations.x.a: `2027-01-01` is a date" in report
    assert "  Pulumi.dev.yaml:5: destinations.x.l[1]: `0777` begins" in report


def test_a_second_document_is_refused(read: Read) -> None:
    """Guards against settings below `---`, which the engine silently ignores."""
    assert "Pulumi.dev.yaml:2: begins a second document" in read.report("config: {}\n---\nconfig: {a: 1}\n")


def test_an_error_of_syntax_has_its_line(read: Read) -> None:
    """Guards against `is not YAML` without a place to look at."""
    assert "Pulumi.dev.yaml:3: is not YAML: " in read.report("config:\n  a: 1\n  b: [1\n")


@pytest.mark.parametrize("text", ["- a\n", "text\n", "config: []\n", "config: x\n"])
def test_what_is_not_a_map_is_refused(read: Read, text: str) -> None:
    """Guards against a traceback where the file holds no keys."""
    assert "is not a map" in read.report(text)


def test_aliases_that_stand_for_too_much_are_refused(read: Read) -> None:
    """Guards against a small file that fills the memory."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefg", "bcdefgh", strict=True)]
    assert "aliases stand for too much" in read.report("config:\n" + "".join(f"  {line}\n" for line in lines))


def test_deep_nesting_is_refused(read: Read) -> None:
    """Guards against a crash of the reader's recursion."""
    assert "Pulumi.dev.yaml:1: " in read.report(f"config: {'[' * 5000}{']' * 5000}\n")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{secure: abc}", "[secret]"),
        ("{x: {secure: abc}}", '{"x":"[secret]"}'),
        ("{x: [{secure: abc}]}", '{"x":["[secret]"]}'),
    ],
)
def test_a_secret_anywhere_makes_its_key_secret(read: Read, written: str, expected: str) -> None:
    """Guards against a secret that the program gets as plain text, and against a need for the passphrase."""
    config = read(f"config:\n  {KEY}: {written}\n  cluster-egress:plain: '[secret]'\n")
    assert config.config[KEY] == expected
    assert config.secret_keys == {KEY}


def test_keys_get_their_namespace(read: Read) -> None:
    """Guards against keys that the program cannot find: without a namespace, in the old form, of other providers."""
    config = read("config:\n  a: 1\n  cluster-egress:config:b: 2\n  kubernetes:context: c\n")
    assert dict(config.config) == {"cluster-egress:a": "1", "cluster-egress:b": "2", "kubernetes:context": "c"}
    assert "`cluster-egress:x` is written twice" in read.report("config:\n  x: 1\n  cluster-egress:x: 2\n")
    assert "`a:b:c` is no configuration key" in read.report("config:\n  a:b:c: 1\n")


def test_unknown_keys_at_the_top_are_refused(read: Read) -> None:
    """Guards against `confg:`, which the engine ignores together with everything below it."""
    assert "did you mean `config`?" in read.report("confg:\n  a: 1\n")
    assert "Pulumi ESC" in read.report("environment: [prod]\nconfig: {a: 1}\n")


@pytest.mark.parametrize("text", ["", "# nothing\n", "config:\n", "encryptionsalt: v1:x\n"])
def test_a_file_without_settings_is_an_empty_configuration(read: Read, text: str) -> None:
    """Guards against an error here that the engine does not have: the program says what is missing."""
    assert dict(read(text).config) == {}


def test_marks_of_other_systems_are_accepted(read: Read) -> None:
    """Guards against refusing files that Windows editors wrote."""
    assert read("\ufeffconfig:\r\n  a: 1\r\n").config == {"cluster-egress:a": "1"}


def test_an_unknown_stack_names_the_known_ones(read: Read) -> None:
    """Guards against the engine's behaviour of taking a missing file for empty settings."""
    read("config: {}\n")
    with pytest.raises(SettingsFileError, match=r"no stack `dve` in .*did you mean `dev`"):
        read("config: {}\n", stack="dve")
    with pytest.raises(SettingsFileError, match=r"no stack `\.\./dev`"):
        read("config: {}\n", stack="../dev")


def test_defaults_of_the_project_are_applied(read: Read) -> None:
    """Guards against settings that only the engine sees: those with a default in Pulumi.yaml."""
    declared = "config:\n  a: {type: integer, default: 5}\n  b: x\n  c: {type: string}\n"
    (read.directory / "Pulumi.yaml").write_text(f"name: cluster-egress\nruntime: python\n{declared}")
    config = read("config:\n  cluster-egress:b: y\n")
    assert dict(config.config) == {"cluster-egress:a": "5", "cluster-egress:b": "y"}


def test_five_thousand_destinations_are_read(read: Read) -> None:
    """Guards against a reader whose time or depth grows faster than its file."""
    entry = (
        "      hosts: [h{0}.example.com]\n      ports: {{https: {{port: 443, protocol: TLS}}}}\n      ticket: FW-{0}\n"
    )
    entries = "".join(f"    d{number}:\n{entry.format(number)}" for number in range(5000))
    config = read(f"config:\n  cluster-egress:destinations:\n{entries}")
    assert len(json.loads(config.config["cluster-egress:destinations"])) == 5000
