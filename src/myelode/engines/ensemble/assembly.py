"""One function in the language of LLVM, written line by line.

Every number is eight numbers, one for each simulation that is computed at the same time; an
instruction treats them alike and never mixes them. Values are known by the names that the methods
return, or by what `number` makes of a Python number.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from myelode.engines.ensemble.lanes import LANES

VECTOR, BITS, POINTER = f"<{LANES} x double>", f"<{LANES} x i64>", "ptr"
"""Types: eight numbers, the same as bit patterns, and an address."""
READ, WRITTEN = f"{POINTER} noalias readonly", f"{POINTER} noalias"
"""An array that is read only and one that is written to; no two arrays overlap."""
_TRUTHS = f"<{LANES} x i1>"


def number(value: float) -> str:
    """A number, the same in every lane."""
    return f"splat (double 0x{bits_of(value):016X})"


def whole(value: int) -> str:
    """A whole number or bit pattern, the same in every lane."""
    return f"splat (i64 {value})"


def bits_of(value: float) -> int:
    """The bit pattern of a number."""
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


class Function:
    """A function that is being written.

    Attributes
    ----------
    name : what it is called by.
    parameters : types by name.
    calls : the declarations of all functions of vectors that it calls, by their names.
    """

    def __init__(
        self,
        name: str,
        parameters: Mapping[str, str],
        result: str = "void",
        *,
        attributes: str = "",
        exported: bool = False,
        contract: bool = False,
    ):
        """`contract` lets a product and a sum be rounded once."""
        self.name, self.parameters = name, dict(parameters)
        self.calls: dict[str, str] = {}
        self._flags = "contract " if contract else ""
        self._values = 0
        given = ", ".join(f"{kind} %{parameter}" for parameter, kind in parameters.items())
        linkage = "" if exported else "internal "
        # A function that is called often is written once: inlined, it would take ages to compile.
        attributes = f"nounwind {attributes}" if exported else f"noinline nounwind {attributes}"
        self._lines = [f"define {linkage}{result} @{name}({given}) {attributes} {{", "entry:"]

    def text(self) -> str:
        """The whole function."""
        return "\n".join([*self._lines, "}", ""])

    def returns(self, value: str | None = None) -> None:
        """The end of the function, with a vector as its result or without any."""
        self._line(f"ret {VECTOR} {value}" if value else "ret void")

    def returns_where_all(self, condition: str, value: str) -> None:
        """The end of the function if a condition holds in every lane; else it goes on."""
        lanes = f"i{LANES}"
        held = self._value(f"bitcast {_TRUTHS} {condition} to {lanes}")
        label = self._values
        everywhere = self._value(f"icmp eq {lanes} {held}, -1")
        self._line(f"br i1 {everywhere}, label %done{label}, label %rest{label}")
        self._block(f"done{label}")
        self.returns(value)
        self._block(f"rest{label}")

    # Arithmetic

    def add(self, one: str, other: str) -> str:
        return self._value(f"fadd {self._flags}{VECTOR} {one}, {other}")

    def subtract(self, one: str, other: str) -> str:
        return self._value(f"fsub {self._flags}{VECTOR} {one}, {other}")

    def multiply(self, one: str, other: str) -> str:
        return self._value(f"fmul {self._flags}{VECTOR} {one}, {other}")

    def divide(self, one: str, other: str) -> str:
        return self._value(f"fdiv {self._flags}{VECTOR} {one}, {other}")

    def negate(self, one: str) -> str:
        return self._value(f"fneg {VECTOR} {one}")

    def fused(self, one: str, other: str, added: str) -> str:
        """The product of two values plus a third, rounded once on every processor."""
        return self.intrinsic("fma", one, other, added)

    def total(self, terms: Sequence[str]) -> str:
        """The sum, from left to right."""
        if not terms:
            return number(0.0)
        found, *others = terms
        for term in others:
            found = self.add(found, term)
        return found

    def plus_product(self, value: str, one: str, other: str) -> str:
        """A value plus the product of two others."""
        return self.add(value, self.multiply(one, other))

    def combination(self, weights: Iterable[float], values: Sequence[str]) -> str:
        """The sum of values times their weights, of which those that are zero are left out."""
        pairs = zip(weights, values, strict=True)
        return self.total([self.multiply(v, number(float(w))) for w, v in pairs if w != 0])

    # Choices

    def compare(self, relation: str, one: str, other: str) -> str:
        """A condition; `relation` is LLVM's, such as olt."""
        return self._value(f"fcmp {relation} {VECTOR} {one}, {other}")

    def both(self, one: str, other: str) -> str:
        return self._value(f"and {_TRUTHS} {one}, {other}")

    def either(self, one: str, other: str) -> str:
        return self._value(f"or {_TRUTHS} {one}, {other}")

    def select(self, condition: str, chosen: str, other: str) -> str:
        return self._value(f"select {_TRUTHS} {condition}, {VECTOR} {chosen}, {VECTOR} {other}")

    # Bit patterns

    def to_bits(self, value: str) -> str:
        return self._value(f"bitcast {VECTOR} {value} to {BITS}")

    def from_bits(self, bits: str) -> str:
        return self._value(f"bitcast {BITS} {bits} to {VECTOR}")

    def on_bits(self, operation: str, one: str, other: str) -> str:
        """An operation on whole numbers; `operation` is LLVM's, such as shl."""
        return self._value(f"{operation} {BITS} {one}, {other}")

    def compare_bits(self, relation: str, one: str, other: str) -> str:
        """A condition on whole numbers; `relation` is LLVM's, such as eq."""
        return self._value(f"icmp {relation} {BITS} {one}, {other}")

    # Memory. An array holds eight numbers at each place.

    def at(self, array: str, place: int | str) -> str:
        """The address of a place of an array."""
        return self._value(f"getelementptr inbounds {VECTOR}, ptr {array}, i64 {place}")

    def load(self, array: str, place: int | str = 0) -> str:
        return self._value(f"load {VECTOR}, ptr {self.at(array, place)}, align 64")

    def store(self, value: str, array: str, place: int | str = 0) -> None:
        self._line(f"store {VECTOR} {value}, ptr {self.at(array, place)}, align 64")

    # Other functions

    def intrinsic(self, name: str, *arguments: str) -> str:
        """An operation on vectors that LLVM knows by name, such as sqrt."""
        return self.call(f"llvm.{name}.v{LANES}f64", *arguments)

    def call(self, name: str, *arguments: str) -> str:
        """A function of vectors."""
        types = ", ".join([VECTOR] * len(arguments))
        self.calls[name] = f"declare {VECTOR} @{name}({types})"
        given = ", ".join(f"{VECTOR} {argument}" for argument in arguments)
        return self._value(f"call {VECTOR} @{name}({given})")

    def call_lanes(self, name: str, value: str) -> str:
        """A function of the C library, for one lane after another."""
        self.calls[name] = f"declare double @{name}(double) nounwind memory(none)"
        found = "poison"
        for lane in range(LANES):
            single = self._value(f"extractelement {VECTOR} {value}, i64 {lane}")
            answer = self._value(f"call double @{name}(double {single})")
            found = self._value(f"insertelement {VECTOR} {found}, double {answer}, i64 {lane}")
        return found

    def run(self, function: Function, *arguments: str) -> None:
        """Another function of the same text, one that returns nothing."""
        kinds = function.parameters.values()
        pairs = zip(kinds, arguments, strict=True)
        given = ", ".join(f"{kind} {argument}" for kind, argument in pairs)
        self._line(f"call void @{function.name}({given})")

    @contextmanager
    def loop(self, count: int) -> Iterator[str]:
        """What is written inside is done for each place from zero on; gives the place."""
        label = self._open_loop(count)
        yield f"%place{label}"
        self._close_loop(label)

    def sum_over(self, count: int, term: Callable[[str], str]) -> str:
        """The sum over all places from zero on; `term` writes what is added, from its place."""
        zero = number(0.0)
        label = self._open_loop(count, f"phi {VECTOR} [ {zero}, %before# ], [ %grown#, %again# ]")
        added = term(f"%place{label}")
        self._line(f"%grown{label} = fadd {self._flags}{VECTOR} %kept{label}, {added}")
        self._close_loop(label)
        return f"%kept{label}"

    def _open_loop(self, count: int, kept: str = "") -> int:
        """The head of a loop and its number; `kept` goes from round to round, # is the number."""
        self._values += 1
        label = self._values
        place = f"%place{label}"
        self._line(f"br label %before{label}")
        self._block(f"before{label}")
        self._line(f"br label %head{label}")
        self._block(f"head{label}")
        self._line(f"{place} = phi i64 [ 0, %before{label} ], [ %next{label}, %again{label} ]")
        if kept:
            self._line(f"%kept{label} = {kept.replace('#', str(label))}")
        self._line(f"%more{label} = icmp ult i64 {place}, {count}")
        self._line(f"br i1 %more{label}, label %body{label}, label %after{label}")
        self._block(f"body{label}")
        return label

    def _close_loop(self, label: int) -> None:
        self._line(f"br label %again{label}")
        self._block(f"again{label}")
        self._line(f"%next{label} = add nuw nsw i64 %place{label}, 1")
        self._line(f"br label %head{label}")
        self._block(f"after{label}")

    def count(self, place: str, more: int) -> str:
        """A place further on."""
        return self._value(f"add nuw nsw i64 {place}, {more}")

    def _value(self, instruction: str) -> str:
        self._values += 1
        name = f"%v{self._values}"
        self._lines.append(f"  {name} = {instruction}")
        return name

    def _block(self, label: str) -> None:
        self._lines.append(f"{label}:")

    def _line(self, instruction: str) -> None:
        self._lines.append(f"  {instruction}")
