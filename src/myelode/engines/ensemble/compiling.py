"""How the functions of the driver become machine code, and call the kernels of a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from myelode.engines.ensemble.lanes import Array

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """The function as machine code that needs no lock of the interpreter, kept on disk.

    Where no folder can be written it is compiled anew in every process.
    """
    try:
        return cast(_Function, numba.njit(cache=True, **_OPTIONS)(function))
    except RuntimeError:  # numba: no locator available
        return cast(_Function, numba.njit(**_OPTIONS)(function))


def inlined(function: _Function) -> _Function:
    """The function as a piece of machine code, for compiled functions only."""
    return cast(_Function, numba.njit(**_OPTIONS, **_PIECE)(function))


_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_PIECE: dict[str, Any] = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def fingerprint(*modules: str) -> str:
    """What changes with the text of any of these files.

    Numba looks only at the file of a function itself to see whether what it keeps is still true,
    and at the variables around the function: this is to be one of them.
    """
    texts = [Path(name).read_bytes() for name in (*modules, __file__)]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def _called(typing_context: Any, kernel: Any, arguments: Any) -> Any:
    """How numba is to call the machine code at an address with a tuple of addresses."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        parts = [builder.extract_value(values[1], place) for place in range(len(arguments))]
        kind = ir.FunctionType(ir.VoidType(), [part.type for part in parts])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), parts)
        return context.get_dummy_value()

    return types.void(kernel, arguments), generate


call = cast(Callable[[int, tuple[int, ...]], None], intrinsic(_called))
"""Call the machine code at an address with a tuple of addresses."""


@inlined
def whole(array: Array) -> int:
    """The address of an array."""
    address: int = array.ctypes.data
    return address


@inlined
def part(array: Array, lane: int) -> int:
    """The address of what an array has for one lane, along its first axis."""
    start, skipped = array.ctypes.data, np.uintp(lane * array.strides[0])
    return start + skipped  # type: ignore[return-value]
