"""Reading the config file: any bytes give values or one line that names the thing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.config.document import MAX_SIZE, ConfigError, Table, parse_document, read_document


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_document(path)
    assert caught.value.path == path
    return str(caught.value)


def table(values: object, key: str = "environments.A", path: str = "c.toml") -> Table:
    return Table(Path(path), key, values)


def test_a_missing_file_is_an_empty_config(tmp_path: Path) -> None:
    assert read_document(tmp_path / "none.toml") == {}


def test_values_are_read_with_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + b'active = "A"\r\n')
        assert read_document(path) == {"active": "A"}


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: is not a file; name a TOML file with --config"


@pytest.mark.timeout(5)
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert "is not a file" in refusal(path)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    with path.open("wb") as file:
        file.truncate(MAX_SIZE + 1)
    assert "over 256 KiB" in refusal(path)


def test_a_file_below_a_file_cannot_be_there(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    assert read_document(tmp_path / "plain" / "c.toml") == {}


def test_what_is_not_utf_8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b'a = 1\nb = "caf\xe9"\n')
    assert refusal(path) == f"{path}: line 2: is not UTF-8; save it as UTF-8"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a = \n", "line 1, column 5"),
        (b'a = 1\n[environments\nb = "x"\n', "line 2, column 14"),
        (b"a = 1\na = 2\n", "line 2, column 6"),
        (b'a = 1\nb = "open', "line 2, column 10"),
        (b"\xef\xbb\xbf[t", "line 1, column 3"),
        ('ä = "ü'.encode(), "line 1, column 1"),
        ('"ä" = "ü'.encode(), "line 1, column 9"),
        (b"a = 1\nb = [1,\n", "line 3, column 1"),
    ],
)
def test_a_syntax_error_names_file_line_and_column(content: bytes, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_document(Path("c.toml"), content)
    assert str(caught.value).startswith(f"c.toml: {place}: ")
    assert str(caught.value).endswith("; the file was left as it is")


def test_absurd_nesting_is_refused() -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse_document(Path("c.toml"), b"a = " + b"[" * 100_000)


def test_an_absurdly_long_number_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"c\.toml: .*number"):
        parse_document(Path("c.toml"), b"a = " + b"1" * 5000)


_TOML_LIKE = st.text(alphabet="abe=[]{}.\"'\\\n\r\t #0123456789-+:TZ_,\x1b\u202e", max_size=80)


@given(st.one_of(st.binary(max_size=200), _TOML_LIKE.map(str.encode)))
def test_any_bytes_give_a_table_or_one_line(content: bytes) -> None:
    try:
        found = parse_document(Path("c.toml"), content)
    except ConfigError as error:
        told = str(error)
    else:
        told = "c.toml: fine"
        assert isinstance(found, dict)
    assert told.isprintable()
    assert told.startswith("c.toml: ")


def test_an_error_is_one_printable_line_whatever_the_names() -> None:
    error = table({}, "environments.a\nb\x1b[31m", "dir\n/c.toml").error("arm", "is \u202e bad")
    assert str(error) == r"dir\n/c.toml: environments.a\nb\x1b[31m.arm is \u202e bad"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(5, "a number"), (1.5, "a number"), (True, "true or false"), ([], "a list"), ({}, "a table")],
)
def test_a_string_of_another_type_is_refused(value: object, kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        table({"arm": value}).string("arm")
    assert str(caught.value) == f"c.toml: environments.A.arm must be a string, not {kind}"


@pytest.mark.parametrize("value", ["", "  ", "\t"])
def test_a_blank_string_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"environments\.A\.arm is empty"):
        table({"arm": value}).string("arm")


def test_a_required_key_says_what_to_add() -> None:
    with pytest.raises(ConfigError) as caught:
        table({}).required("arm", '"https://x"')
    assert str(caught.value) == 'c.toml: environments.A has no arm; add: arm = "https://x"'


def test_a_value_in_place_of_a_table_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"environments\.A must be a table, not a string"):
        table("x")
    with pytest.raises(ConfigError, match=r"environments\.A\.resolve must be a table, not a list"):
        table({"resolve": []}).strings("resolve")
    with pytest.raises(ConfigError, match=r"environments\.A\.resolve\.k must be a string"):
        table({"resolve": {"k": 1}}).strings("resolve")


def test_a_top_level_table_has_no_leading_dot() -> None:
    with pytest.raises(ConfigError, match=r"^c\.toml: environments must be a table"):
        table({"environments": 1}, key="").table("environments")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/abs/root.pem", "/abs/root.pem"),
        ("root.pem", "conf/root.pem"),
        ("../root.pem", "conf/../root.pem"),
        ("~/root.pem", "{home}/root.pem"),
    ],
)
def test_paths_start_from_the_configs_folder(text: str, expected: str) -> None:
    found = table({"ca": text}, path="conf/c.toml").path_value("ca")
    assert found == Path(expected.format(home=os.environ["HOME"]))


@pytest.mark.parametrize("text", ["a\0b", "~no-such-user-here/root.pem"])
def test_an_impossible_path_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"environments\.A\.ca "):
        table({"ca": text}).path_value("ca")


def test_an_absent_path_is_none() -> None:
    assert table({}).path_value("ca") is None


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    known = ("arm", "profile", "subscription")
    lines = table({"arm": "x", "subscripton": "y", "zzz": 1}).warnings(known)
    assert lines == [
        "c.toml: environments.A.subscripton is not a known key; did you mean subscription?",
        "c.toml: environments.A.zzz is not a known key; known: arm, profile, subscription",
    ]


def test_a_warning_is_one_printable_line() -> None:
    (line,) = table({"a\x1b]0;x\x07\nrm": 1}).warnings(("arm",))
    assert line.isprintable()


@pytest.mark.timeout(5)
@pytest.mark.parametrize("key", ["a" + ".a" * 130_000, "[a" + ".a" * 130_000 + "]"])
def test_a_key_of_absurd_depth_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="line 2: has over 1000 dots"):
        parse_document(Path("c.toml"), f"\n{key} = 1".encode())


@pytest.mark.parametrize("target", ["absent.toml", "c.toml"])
def test_a_link_to_nothing_says_so(tmp_path: Path, target: str) -> None:
    path = tmp_path / "c.toml"
    path.symlink_to(target)
    assert f"is a link to {target}, which leads to no file" in refusal(path)


def test_a_list_of_paths_starts_from_the_configs_folder() -> None:
    found = Table(Path("conf/c.toml"), "clients", {"python": ["~/venv", "/opt/app", "own"]})
    assert found.paths("python") == (Path.home() / "venv", Path("/opt/app"), Path("conf/own"))
    assert found.paths("other") == ()


@pytest.mark.parametrize(
    "value", ["/venv", [1], [""], [" "], ["a\0b"], ["~nobody-of-that-name/x"], {}]
)
def test_what_is_no_list_of_paths_is_refused(value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        Table(Path("c.toml"), "clients", {"python": value}).paths("python")
    assert caught.value.place == "clients.python"
