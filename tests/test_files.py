"""Text files are read with their line numbers, and written whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode import files
from myelode.errors import ModelError, ScenarioError
from myelode.files import parse_yaml, read_table, read_text, read_yaml, write_atomically


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-9", 1e-9), ("1E6", 1e6), (".5", 0.5), ("-3", -3), ("1_000", 1000), ("0x10", 16), ("010", 10),
        ("NO", "NO"), ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("1:30", "1:30"), ("2 h", "2 h"),
        ("1 uM", "1 uM"), ("true", True), ("null", None), ("~", None), ("'1'", "1"), ("[1, NO]", [1, "NO"]),
    ],
)  # fmt: skip
def test_yaml_is_that_of_1_2(text: str, value: object) -> None:
    found = parse_yaml(f"a: {text}", "f").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_every_key_and_item_has_its_line() -> None:
    text = "id: x\nregimen:\n  - {at: 0 h,\n     dose: A}\n\n  - at: 1 h\n    # a comment\n    wash: B\n"
    lines = parse_yaml(text, "f").lines
    assert lines["id",] == 1
    assert lines["regimen",] == 2
    assert lines["regimen", 0] == 3
    assert lines["regimen", 0, "dose"] == 4
    assert lines["regimen", 1] == 6
    assert lines["regimen", 1, "wash"] == 8


def test_a_place_is_that_of_its_closest_known_parent() -> None:
    file = parse_yaml("a:\n  b: 1\n", "f.yaml")
    assert file.place(("a", "b")) == "f.yaml:2: a.b"
    assert file.place(("a", "c", 3)) == "f.yaml:1: a.c.3"
    assert file.place(("z",)) == "f.yaml:1: z"
    assert file.place(()) == "f.yaml:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"f:3: found duplicate key .?a"),
        ("a: &x [1]\nb: *x\n", "f:2:4: YAML aliases are not used here"),
        ("a: &x [*x]\n", "f:1:8: YAML aliases are not used here"),
        ("a:\n  <<: {b: 1}\n", "f:2:3: 'merge' is no plain value"),
        ("a: !!python/object:os.system x\n", "f:1:4: 'python/object:os.system' is no plain value"),
        ("a: !!set {b}\n", "f:1:4: 'set' is no plain value"),
        ("a: !own b\n", "f:1:4: '!own' is no plain value"),
        ("a: 2020-01-01\n", "f:1:4: 'timestamp' is no plain value: quote it"),
        ("%YAML 1.1\n---\na: NO\n", "f:1: YAML directives are not used here"),
        ("# a\n%YAML 1.1\n---\na: NO\n", "f:2: YAML directives are not used here"),
        ("a: 1\n---\nb: 2\n", "f:2:1: "),
        ("a: b: c\n", "f:1:5: "),
        ("a:\n\t- b\n", "f:2:1: "),
        ("a: [1\n", "f:2:1: "),
        ("a: 'x\n", "f:2:1: "),
        ("a: !!int b\n", "f: is not YAML"),
        ("a: " + "9" * 5000, "f: is not YAML"),
        ("a: \x07", "f: is not YAML"),
    ],
)
def test_a_fault_of_yaml_has_its_line(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse_yaml(text, "f")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 100_000, "- " * 50_000, "? " * 10_000])
def test_depth_that_no_one_writes_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="f:1:.*beyond reason"):
        parse_yaml(text, "f")


def test_size_that_no_one_writes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_YAML_NODES", 100)
    assert len(parse_yaml("- 1\n" * 99, "f").data) == 99
    with pytest.raises(ScenarioError, match="f:100:3: is nested or repeated beyond reason"):
        parse_yaml("- 1\n" * 100, "f")


def test_the_error_class_is_the_callers() -> None:
    with pytest.raises(ModelError):
        parse_yaml("a: [", "f", ModelError)


@given(st.text(max_size=60))
def test_any_text_is_yaml_or_a_scenario_error(text: str) -> None:
    try:
        parse_yaml(text, "f")
    except ScenarioError:
        return


@given(st.text("ab:-?[]{},&*!|>'\"%@`# \n\t0.", max_size=40))
def test_any_yaml_like_text_is_yaml_or_a_scenario_error(text: str) -> None:
    try:
        parse_yaml(text, "f")
    except ScenarioError:
        return


def test_yaml_of_nothing_but_comments_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("# nothing\n")
    assert read_yaml(path).data is None


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfid: x\n")
    assert read_yaml(path).data == {"id": "x"}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"a\n\0b", ":2: has a NUL byte"), (b"a\xffb", r"UTF-8 text \(byte 1\)")],
)  # fmt: skip
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.ant"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_text(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a folder"):
        read_text(tmp_path)
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_text(tmp_path / "missing")
    with pytest.raises(ModelError, match="is no file"):
        read_text(Path("/dev/zero"))


def test_a_file_beyond_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_FILE", 10)
    path = tmp_path / "a"
    path.write_text("12345678901")
    with pytest.raises(ModelError, match="has 11 bytes, more than the 10"):
        read_text(path)


def _table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "t.tsv"
    path.write_bytes(text.encode())
    return path


def test_a_table_gives_its_rows_with_their_lines(tmp_path: Path) -> None:
    path = _table(tmp_path, 'a\tb\r\n 1 \t"2"\r\n\r\n3\n')
    rows = read_table(path, ("a", "b"))
    assert [row.where for row in rows] == [f"{path}:2", f"{path}:4"]
    assert [row.values for row in rows] == [{"a": "1", "b": '"2"'}, {"a": "3", "b": ""}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tc\n1\t2\n", ":1: the header must be a b"),
        ("a b\n1\t2\n", ":1: the header must be a b"),
        ("a\tb\n1\t2\n1\t2\t3\n", ":3: has 3 cells where 2 are due"),
    ],
)
def test_a_fault_in_a_table_has_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_table(_table(tmp_path, text), ("a", "b"))


def test_a_huge_cell_and_a_bare_carriage_return_are_cells(tmp_path: Path) -> None:
    [row] = read_table(_table(tmp_path, "a\tb\n" + "x" * 200_000 + "\t1\r2\n"), ("a", "b"))
    assert len(row["a"]) == 200_000
    assert row["b"] == "1\r2"


def test_a_written_file_is_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    write_atomically(path, lambda file: file.write_text("new") and None)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    assert not path.stat().st_mode & stat.S_IXUSR


def test_a_written_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    path, other = tmp_path / "result.txt", tmp_path / "other.txt"
    write_atomically(path, lambda file: file.write_text("new") and None)
    other.write_text("")
    assert path.stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize(
    "problem", [OSError(28, "No space left"), ValueError("x"), KeyboardInterrupt()]
)
def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(
    tmp_path: Path, problem: BaseException
) -> None:
    path = tmp_path / "result.txt"
    path.write_text("old")

    def write(file: Path) -> None:
        file.write_text("half")
        raise problem

    expected = ScenarioError if isinstance(problem, OSError) else type(problem)
    with pytest.raises(expected):
        write_atomically(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["missing/result.txt", "x" * 300, "folder"])
def test_what_cannot_be_written_is_one_error_and_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ScenarioError, match="cannot be written"):
        write_atomically(tmp_path / name, lambda file: file.write_text("x") and None)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert list((tmp_path / "folder").iterdir()) == []
