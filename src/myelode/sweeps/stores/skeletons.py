"""What a store of a sweep is before it holds a number: groups, arrays and metadata in zarr v3.

STORE/            one array for each variable, `sample` first; attributes; consolidated metadata,
                  which is right from the start, since nothing is added to it later
STORE/plan/       document  the text from which the sweep can be planned again
                  keys      one text for each chunk: what it was computed from; "" if not there
                  locks     no numbers, only files of those that write: what they lock, what of a
                          chunk is being replaced, and whether another plan is being taken over
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from myelode.sweeps.blocks import TEXT, Layout, Variable
from myelode.sweeps.stores.libraries import load_zarr
from myelode.sweeps.stores.packing import Packing

FORMAT = 1
POINTS = "sample"
DOCUMENT = "document"
_SEPARATOR = "."
_LOCKS = "Files of those that write; there are no numbers here."


def chunk_name(number: int, axes: int) -> str:
    """The name of the file of a chunk, in an array with so many axes."""
    return _SEPARATOR.join(["c", str(number), *["0"] * (axes - 1)])


def number_of(name: str) -> int:
    """The chunk that a file belongs to, from its name."""
    return int(name.split(_SEPARATOR)[1])


@contextmanager
def skeleton(beside: Path, layout: Layout, document: str) -> Iterator[Path]:
    """A folder with an empty store, to be renamed or taken apart; what is left of it is deleted."""
    folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", suffix=".partial", dir=beside.parent))
    folder.chmod(0o777 & ~_umask(folder))
    try:
        _build(folder, layout, document)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rename_new(folder: Path, path: Path) -> None:
    """Rename a skeleton; raises FileExistsError where the name is taken, or OSError."""
    if path.exists():
        raise FileExistsError(path)
    try:
        folder.rename(path)
    except OSError:
        if not path.exists():
            raise


def take_apart(folder: Path, store: Path) -> None:
    """Move the files of a skeleton into a store of the same arrays; raises OSError.

    The document comes first, so that whoever is killed leaves the plan that is to be taken over,
    and the group itself last: what its consolidated metadata say is there then.
    """
    document = folder / "plan" / DOCUMENT
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files.sort(key=lambda file: (document not in file.parents, -len(file.parts)))
    for file in files:
        os.replace(file, store / file.relative_to(folder))


def _umask(folder: Path) -> int:
    """What new folders lack, seen from one: asking for the mask itself would set it for all."""
    probe = folder / "probe"
    probe.mkdir()
    mask = 0o777 & ~probe.stat().st_mode
    probe.rmdir()
    return mask


def _build(folder: Path, layout: Layout, document: str) -> None:
    zarr = load_zarr()
    root = zarr.create_group(store=str(folder), zarr_format=3, attributes=_attributes(layout))
    for name, (dims, values, attributes) in layout.fixed.items():
        _fixed(root, name, dims, values, attributes)
    for variable in layout.variables:
        _variable(root, variable, layout)
    names = [*layout.fixed, *(variable.name for variable in layout.variables)]
    about = {"format": FORMAT, "chunk": layout.chunk, "names": names}
    plan = root.create_group("plan", attributes=about)
    _fixed(plan, DOCUMENT, (), np.array(document, dtype=object), {}, is_packed=False)
    plan.create_array(
        "keys", shape=(layout.chunks,), chunks=(1,), dtype=str, fill_value="", compressors=None,
        dimension_names=("chunk",), chunk_key_encoding=_encoding(),
    )  # fmt: skip
    plan.create_array(
        "locks",
        shape=(0,),
        dtype="uint8",
        dimension_names=("lock",),
        attributes={"comment": _LOCKS},
    )
    with warnings.catch_warnings():
        # Readers of the format's version 3 that do not know consolidated metadata ignore it.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(str(folder))


def _attributes(layout: Layout) -> dict[str, Any]:
    """The attributes of the whole, and which of the variables are coordinates."""
    names = layout.coordinate_names()
    return {**layout.attributes, **({"coordinates": names} if names else {})}


def _encoding() -> Any:
    return {"name": "default", "separator": _SEPARATOR}


def _fixed(
    group: Any, name: str, dims: tuple[str, ...], values: np.ndarray,
    attributes: Mapping[str, Any], *, is_packed: bool = True,
) -> None:  # fmt: skip
    """An array that is written whole, now: even zeros may take the place of other values."""
    values = np.asarray(values)
    is_text = values.dtype.kind in "OUT"
    array = group.create_array(
        name, shape=values.shape, chunks=tuple(max(1, size) for size in values.shape),
        dtype=str if is_text else values.dtype, fill_value="" if is_text else None,
        dimension_names=dims, attributes=dict(attributes), chunk_key_encoding=_encoding(),
        compressors="auto" if is_packed else None, config={"write_empty_chunks": True},
    )  # fmt: skip
    if values.size:
        array[...] = values.astype(object) if is_text else values


def _variable(group: Any, variable: Variable, layout: Layout) -> None:
    """An array of nothing but fill values."""
    from zarr.codecs import BloscCodec

    packing = Packing(variable, layout.chunk)
    is_text = variable.dtype == TEXT
    size = 1 if is_text else np.dtype(variable.dtype).itemsize
    group.create_array(
        variable.name,
        shape=(layout.count, *variable.shape),
        chunks=(packing.rows, *variable.shape),
        shards=packing.shape if packing.pieces > 1 else None,
        dtype=str if is_text else variable.dtype,
        fill_value=variable.fill,
        compressors=BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=size),
        dimension_names=(POINTS, *variable.dims),
        attributes=dict(variable.attributes),
        chunk_key_encoding=_encoding(),
    )


def read_layout(group: Any) -> Layout:
    """The layout of an opened store; raises KeyError or TypeError if it is none of ours."""
    attributes = dict(group.attrs)
    names = str(attributes.pop("coordinates", "")).split()
    about = group["plan"].attrs
    arrays = {name: group[name] for name in about["names"]}
    variables = [
        _read_variable(name, array, name in names)
        for name, array in arrays.items()
        if _dims(array)[:1] == (POINTS,)
    ]
    fixed = {
        name: (_dims(array), _plain(array[...]), dict(array.attrs))
        for name, array in arrays.items()
        if _dims(array)[:1] != (POINTS,)
    }
    count = arrays["status"].shape[0]
    return Layout(count, int(about["chunk"]), tuple(variables), fixed, attributes)


def _dims(array: Any) -> tuple[str, ...]:
    return tuple(array.metadata.dimension_names or ())


def _plain(values: Any) -> np.ndarray:
    """Values as NumPy has always had them: texts are objects."""
    values = np.asarray(values)
    is_text = values.dtype.kind in "OUT"
    return np.asarray(values, dtype=object) if is_text else values


def _read_variable(name: str, array: Any, is_coordinate: bool) -> Variable:
    is_text = array.dtype.kind in "OUT"
    kind = TEXT if is_text else array.dtype.name
    fill = str(array.fill_value) if is_text else array.fill_value.item()
    dims, shape = _dims(array)[1:], tuple(array.shape[1:])
    return Variable(name, dims, shape, kind, fill, dict(array.attrs), is_coordinate)
