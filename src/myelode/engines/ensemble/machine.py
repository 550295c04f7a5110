"""From the text of kernels to machine code for the processor at hand, and back to addresses.

The tape has no common sub-expressions and no branches, so that LLVM's passes over its own language
find nothing worth their time: the text goes straight to the code generator.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import llvmlite.binding as llvm

from myelode.engines.ensemble.kernels import write_kernels
from myelode.engines.ensemble.lanes import LANES, Kernels, Sizes
from myelode.engines.ensemble.program import Program

PROCESSOR = "MYELODE_PROCESSOR"
"""An environment variable: LLVM's name of the kind of processor that kernels are for, such as
x86-64-v3 for those with AVX2 and without AVX-512. The one at hand if it is empty or not set."""

_LEVEL = 2
"""How hard the code generator tries, of 0 to 3; the third is no faster in the end."""
_KEPT = 64
"""How many models keep their machine code after their last use."""


@dataclass(frozen=True)
class MachineCode:
    """The kernels of a model as machine code.

    Attributes
    ----------
    kernels : their addresses, which hold as long as this object lives.
    sizes : how many values of each kind they read and write.
    engine : what owns the memory of the code.
    """

    kernels: Kernels
    sizes: Sizes
    engine: Any = field(repr=False)


def compile_program(
    program: Program, outputs: tuple[str, ...], reproducible: bool = False
) -> MachineCode:
    """The kernels of a model and its chosen outputs, compiled once in a process.

    Parameters
    ----------
    outputs : ids of ``program.outputs``, in the order in which `observe` gives them.
    reproducible : the same numbers on every processor, which takes somewhat longer: products and
        sums are rounded one by one. Only trigonometric and hyperbolic functions and factorials,
        which the C library computes, may differ in their last digit where its release differs.
    """
    written = write_kernels(program, outputs, contract=not reproducible)
    engine = load(written.text, os.environ.get(PROCESSOR, ""))
    kernels = Kernels(*map(engine.get_function_address, Kernels._fields))
    sizes = Sizes(
        states=len(program.states),
        constants=len(program.constants),
        hoisted=written.hoisted,
        roots=len(program.roots),
        outputs=len(outputs),
        work=written.work * LANES,
    )
    return MachineCode(kernels, sizes, engine)


@lru_cache(maxsize=_KEPT)
def load(text: str, processor: str = "") -> Any:
    """Machine code of a text for LLVM: an object that knows the address of each exported function.

    `processor` is LLVM's name of a kind of processor, such as x86-64-v3; the one at hand if empty.
    """
    machine = _target(processor)
    module = llvm.parse_assembly(text)
    module.verify()
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine


def _target(processor: str) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.Target.from_default_triple()
    if processor:
        return triple.create_target_machine(cpu=processor, opt=_LEVEL, jit=True)
    features = llvm.get_host_cpu_features()
    text = features.flatten()
    if features.get("avx512f"):
        # Some processors are said to like registers of half the width better; here all are full.
        text += ",-prefer-256-bit"
    host = llvm.get_host_cpu_name()
    return triple.create_target_machine(cpu=host, features=text, opt=_LEVEL, jit=True)
