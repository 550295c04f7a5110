"""Stores: they hold what was written, open with plain xarray, and are right at every moment."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.errors import ScenarioError
from myelode.sweeps.blocks import MISSING, TEXT, Layout, Variable, ledger
from myelode.sweeps.stores import store as stores
from myelode.sweeps.stores.packing import DamageError, Packing, require_packable
from myelode.sweeps.stores.store import Store, create, open_store

from .fakes import FakePlan, differences, new_store, same, whole_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sweep.zarr"


# What a store holds


def test_a_store_gives_back_its_layout_and_document(path: Path) -> None:
    plan, _ = new_store(path)
    store = open_store(path)
    assert store.document == plan.document
    assert (store.layout.count, store.layout.chunk) == (40, 8)
    assert repr(store.layout.variables) == repr(plan.layout.variables)
    assert store.layout.attributes == plan.layout.attributes
    assert list(store.layout.fixed) == ["time", "perturbation"]
    assert store.layout.fixed["perturbation"][1].tolist() == ["none", "slow"]


def test_what_was_written_is_read(path: Path) -> None:
    plan, store = new_store(path, count=20, fail=[9, 17])
    for number in (2, 0, 1):
        block = plan.compute(number)
        store.write(number, block, plan.key(number))
        found = open_store(path).read(number)
        assert found.keys() == block.keys()
        assert all(same(found[name], block[name]) for name in block)
    assert store.keys() == [plan.key(number) for number in range(3)]


def test_what_was_not_written_is_missing(path: Path) -> None:
    _, store = new_store(path)
    block = store.read(0)
    assert set(block["status"].tolist()) == {MISSING}
    assert np.isnan(block["drug"]).all()
    assert set(block["reason"].tolist()) == {""}
    assert store.keys() == [""] * 5


@pytest.mark.parametrize("chunk", [1000, 1024, 4096])
def test_the_bytes_are_those_that_zarr_writes(path: Path, chunk: int) -> None:
    generator = np.random.default_rng(chunk)
    wide = Variable("wide", ("time",), (300,), "float32")
    layout = Layout(2 * chunk, chunk, (*ledger("h"), wide), {}, {})
    ours = create(path, layout, "{}")
    block = layout.empty(chunk)
    block["wide"][:] = generator.random((chunk, 300))
    block["status"][:], block["reason"][:] = generator.integers(0, 4, chunk), "größer"
    ours.write(1, block, "a key")
    theirs = shutil.copytree(path, path.with_name("theirs.zarr"))
    for file in theirs.glob("**/c.1*"):
        file.unlink()
    with zarr.config.set({"array.write_empty_chunks": True}):
        group: Any = zarr.open_group(str(theirs), mode="r+")
        for name, values in block.items():
            group[name][chunk:] = values
        group["plan/keys"][1] = "a key"
    assert _contents(theirs) == _contents(path)


def _contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("c.*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_wide_points_stand_in_pieces_that_are_read_one_by_one() -> None:
    wide = Variable("wide", ("time",), (300,), "float32")
    assert (Packing(wide, 4096).rows, Packing(wide, 4096).pieces) == (1024, 4)
    assert Packing(wide, 1021).pieces == 1
    assert Packing(replace(wide, shape=(1,)), 65536).pieces == 1
    assert Packing(replace(wide, shape=(1_000_000,)), 64).rows == 4


@pytest.mark.parametrize("chunk", [1000, 4096])
def test_pieces_without_points_are_left_out(path: Path, chunk: int) -> None:
    wide = Variable("wide", ("time",), (300,), "float32")
    layout = Layout(7, chunk, (*ledger("h"), wide), {}, {})
    store = create(path, layout, "{}")
    block = layout.empty(7)
    block["wide"][:] = np.arange(2100).reshape(7, 300)
    block["status"][:] = 0
    store.write(0, block, "a key")
    assert store.is_whole(0)
    assert same(store.read(0)["wide"], block["wide"])
    assert same(xr.open_zarr(path).wide.values, block["wide"])
    group: Any = zarr.open_group(str(path), mode="r+")
    group["wide"].resize((chunk, 300))
    assert np.isnan(group["wide"][7:]).all()


def test_a_chunk_that_is_too_large_for_its_packer_is_cut_or_refused(path: Path) -> None:
    wide = Variable("wide", ("dose", "time"), (10, 100), "float32")
    assert Packing(wide, 1_000_001).rows == 101  # and 9901 pieces
    assert Packing(wide, 1021 * 1019).rows == 1021
    with pytest.raises(ScenarioError) as caught:
        create(path, Layout(10, 999_983, (*ledger("h"), wide), {}, {}), "{}")
    assert str(caught.value) == (
        "chunk 999983: wide has 4 GB in a piece, and 2.1 are the most: "
        "make it smaller, or a multiple of 1024"
    )
    assert not list(path.parent.iterdir())
    with pytest.raises(ScenarioError, match="status has 2.15 GB in a piece"):
        require_packable(Layout(10, 2**31, tuple(ledger("h"))[:1], {}, {}))


# What others see


@pytest.fixture
def halfway(path: Path) -> Store:
    """A store of which one chunk in two is there."""
    plan, store = new_store(path, fail=[3])
    for number in (0, 2, 4):
        store.write(number, plan.compute(number), plan.key(number))
    return store


@pytest.mark.parametrize("consolidated", [None, True, False])
def test_plain_xarray_opens_it_without_a_warning(halfway: Store, consolidated: bool | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = xr.open_zarr(halfway.path, consolidated=consolidated).load()
    assert set(found.coords) == {"k", "line", "time", "perturbation"}
    assert dict(found.sizes) == {"sample": 40, "time": 7, "perturbation": 2}
    assert found.k.attrs == {"units": "1/h", "long_name": "a rate"}
    assert found.line.values[:2].tolist() == ["MM.1S", "RPMI-8226"]
    assert found.attrs["title"] == "a fake of version 1"
    for variable in halfway.layout.variables:
        assert same(_plain(found[variable.name].values), halfway.columns(variable.name))


def _plain(values: np.ndarray) -> np.ndarray:
    return values.astype(object) if values.dtype.kind == "T" else values


def test_codes_stay_codes_and_what_is_missing_shows(halfway: Store) -> None:
    found = xr.open_zarr(halfway.path).load()
    assert found.status.dtype == found.outcome.dtype == np.int8
    assert found.status.values[[0, 3, 8]].tolist() == [0, 1, -1]
    assert found.outcome.values[8] == -1
    assert found.status.attrs["flag_meanings"].split()[1] == "done"
    assert np.isnan(found.drug.values[[3, 8]]).all()
    assert found.steps.values[8] == -1
    assert found.drug.dtype == np.float32


def test_the_whole_tree_opens_without_a_warning_while_others_write(halfway: Store) -> None:
    with halfway.locks.writer(), halfway.locks.chunk(1), warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = xr.open_datatree(halfway.path, engine="zarr", consolidated=False)
        group = zarr.open_group(str(halfway.path), mode="r", use_consolidated=False)
        assert len(list(group.members(max_depth=None))) > 10
    assert tree["plan"]["keys"].values.tolist()[:2] == ["1-0-8", ""]


# Right at every moment


class Killed(BaseException):
    """The process ends here: nothing is tidied up."""


@contextmanager
def dying(
    monkeypatch: pytest.MonkeyPatch, name: str, after: int, error: BaseException
) -> Iterator[None]:
    """The call of a function of `os` after so many others raises."""
    real, calls = getattr(os, name), iter(range(10**9))

    def call(*arguments: Any, **options: Any) -> Any:
        if next(calls) >= after:
            raise error
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(f"myelode.sweeps.stores.store.os.{name}", call)
        yield


_VERSIONS = ("open", "replace", "unlink")


@pytest.mark.parametrize("after", range(13))
@pytest.mark.parametrize("name", _VERSIONS)
def test_a_chunk_is_there_as_a_whole_or_not(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after: int
) -> None:
    old, store = whole_store(path)
    new = FakePlan(version=2)
    before = store.read(1)
    with dying(monkeypatch, name, after, Killed()), suppress(Killed):
        store.write(1, new.compute(1), new.key(1))
    key = open_store(path).key(1)
    if key:
        expected = {old.key(1): before, new.key(1): new.compute(1)}[key]
        found = store.read(1)
        assert all(same(found[n], expected[n]) for n in expected if n != "seconds")
    else:
        assert set(store.status()[8:16].tolist()) == {MISSING}
    store.sweep_up()
    assert not list(path.rglob("*.partial"))


@pytest.mark.parametrize("after", range(13))
def test_a_full_disk_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    old, store = whole_store(path)
    new = FakePlan(version=2)
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        dying(monkeypatch, "write", after, full),
        pytest.raises(ScenarioError, match="the disk is full; what was finished is kept"),
    ):
        store.write(1, new.compute(1), new.key(1))
    assert store.key(1) == old.key(1)
    assert not differences(store, whole_store(path.with_name("other"))[1])
    assert not list(path.rglob("*.partial"))


def _write_all(plan: FakePlan, store: Store) -> None:
    for number in range(plan.layout.chunks):
        store.write(number, plan.compute(number), plan.key(number))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not _mount("-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)):
        pytest.skip("nobody may mount a disk here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def _mount(*arguments: str) -> bool:
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def test_a_disk_that_is_full_indeed(tiny_disk: Path) -> None:
    plan, store = new_store(tiny_disk / "sweep.zarr", count=40_000, chunk=1000)
    with pytest.raises(ScenarioError, match="disk is full") as caught:
        _write_all(plan, store)
    assert "\n" not in str(caught.value)
    found = open_store(store.path)
    written = sum(map(bool, found.keys()))
    assert 0 < written < 40
    assert found.keys() == [plan.key(n) if n < written else "" for n in range(40)]
    assert int((found.status() == 0).sum()) == 1000 * written
    with pytest.raises(ScenarioError, match="disk is full"):
        new_store(tiny_disk / "another.zarr", count=10_000_000, chunk=1)


def test_a_read_only_store_can_be_read(tmp_path: Path) -> None:
    plan, store = whole_store(tmp_path / "sweep.zarr")
    folder = tmp_path / "fixed"
    folder.mkdir()
    if not _mount("--bind", str(tmp_path), str(folder)) or not _mount(
        "-o", "remount,ro,bind", str(folder)
    ):
        pytest.skip("nobody may mount a disk here")
    try:
        fixed = open_store(folder / "sweep.zarr")
        assert not differences(fixed, store)
        assert fixed.locks.who_writes() == ""
        for write in (
            lambda: fixed.write(0, plan.compute(0), "a key"),
            lambda: fixed.locks.writer().__enter__(),
            lambda: fixed.forget(0),
            lambda: fixed.adopt(FakePlan(version=2).layout, "{}", str),
            lambda: new_store(folder / "new.zarr"),
        ):
            with pytest.raises(ScenarioError, match=r"\.zarr: cannot be written: is read-only$"):
                write()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@given(st.data())
@settings(max_examples=60)
def test_a_file_that_is_cut_off_is_not_whole(data: st.DataObject) -> None:
    variable = data.draw(st.sampled_from(_SHAPES))
    packing = Packing(variable, 2048)
    values = variable.empty(2048)
    values[: data.draw(st.integers(0, 2048))] = "text" if variable.dtype == TEXT else 1
    content = packing.pack(values)
    assert same(packing.unpack(content, 2048), values)
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    with pytest.raises(DamageError):
        packing.unpack(cut, 2048)


_SHAPES = (
    Variable("one"),
    Variable("code", dtype="int8", fill=-1),
    Variable("reason", dtype=TEXT, fill=""),
    Variable("wide", ("time",), (200,), "float32"),
    Variable("texts", ("time",), (3,), dtype=TEXT, fill=""),
)


@pytest.mark.parametrize("length", [0, 1, 16, -1])
@pytest.mark.parametrize("name", ["k", "reason", "status", "drug"])
def test_a_chunk_with_a_torn_file_is_noticed(path: Path, name: str, length: int) -> None:
    _, store = whole_store(path)
    assert all(store.is_whole(number) for number in range(5))
    [file] = path.glob(f"{name}/c.1*")
    file.write_bytes(file.read_bytes()[:length])
    assert [store.is_whole(number) for number in range(5)] == [True, False, True, True, True]
    [variable] = [item for item in store.layout.variables if item.name == name]
    assert same(store.read(1)[name], variable.empty(8))


def test_zeros_where_a_file_was_are_noticed(path: Path) -> None:
    _, store = whole_store(path)
    [file] = path.glob("drug/c.1*")
    file.write_bytes(bytes(len(file.read_bytes())))
    assert not store.is_whole(1)
    file.unlink()
    assert not store.is_whole(1)


@pytest.mark.parametrize("content", [b"", b"\1", b"\1\0\0\0\5\0\0\0ab", bytes(17)])
def test_a_torn_key_is_none(path: Path, content: bytes) -> None:
    _, store = whole_store(path)
    (path / "plan" / "keys" / "c.1").write_bytes(content)
    assert store.key(1) == ""
    assert set(store.status()[8:16].tolist()) == {MISSING}


# What is no store


def _nothing(path: Path) -> None:
    pass


def _folder(path: Path) -> None:
    path.mkdir()


def _file(path: Path) -> None:
    path.write_text("{}")


def _of_others(path: Path) -> None:
    zarr.create_group(str(path)).create_array("a", shape=(1,), dtype="float64")


def _torn(path: Path) -> None:
    new_store(path)
    (path / "zarr.json").write_text('{"zarr_format": 3,')


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_nothing, "there is no such store"),
        (_folder, "is not the store of a sweep"),
        (_file, "is not the store of a sweep"),
        (_of_others, "is not the store of a sweep"),
        (_torn, "is not the store of a sweep"),
    ],
)
def test_what_is_no_store_is_refused(path: Path, make: Callable[[Path], None], said: str) -> None:
    make(path)
    with pytest.raises(ScenarioError, match=f"sweep.zarr: {said}$"):
        open_store(path)


def test_who_comes_second_gets_the_store_of_the_first(path: Path) -> None:
    _, first = whole_store(path)
    _, second = new_store(path)
    assert second.keys() == first.keys()
    assert sorted(file.name for file in path.parent.iterdir()) == ["sweep.zarr"]


def test_a_store_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be written: No such file or directory"):
        new_store(tmp_path / "none" / "sweep.zarr")


def test_a_block_of_the_wrong_size_is_our_fault(path: Path) -> None:
    plan, store = new_store(path)
    with pytest.raises(ValueError, match="k of chunk 1 has shape"):
        store.write(1, plan.compute_points([8]), "a key")
    assert stores.STATUS_NAME in store.layout.empty(1)


def test_without_the_library_a_store_says_which_extra_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ScenarioError, match=r"pip install 'myelode\[sweeps\]'"):
        stores.open_store(tmp_path)
