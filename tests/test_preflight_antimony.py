"""Strangers' Antimony: what makes libAntimony read files, misread or hang is refused."""

from __future__ import annotations

import time

import pytest

from myelode.errors import ModelError
from myelode.preflight import check_antimony


def modules(levels: int, copies: int = 2) -> str:
    text = "model m0()\n  S -> T; S; S = 1\nend\n"
    for level in range(1, levels + 1):
        uses = "".join(f"  x{copy}: m{level - 1}();\n" for copy in range(copies))
        text += f"model m{level}()\n{uses}end\n"
    return text


DOUBLE = "model double(x, y)\n  y := x + x\nend\n"

BAD_ANTIMONY = {
    "import": ('A -> B; k\nimport "/etc/passwd"', ":2: import reads other files"),
    "import_behind_a_comment": ('/* a\nb */ import/**/"x"', ":2: import"),
    "import_in_a_module": ('model a\nimport "x"\nend', ":2: import"),
    "comment_without_end": ("A -> B; k\n/* k = 1", ":2: what starts here with /* has no end"),
    "text_without_end": ('k = 1\nk is "a\nb', ':2: what starts here with " has no end'),
    "notes_without_end": ("k notes ```a\nb", ":1: what starts here with ``` has no end"),
    "nul": ("A -> B; k;\n\0 k = 1", ":2: the control character '\\x00'"),
    "nul_in_a_comment": ("k = 1 // \0", "control character"),
    "escape_sequence_in_a_text": ('k is "\x1b[2J"', "control character"),
    "umlaut_in_a_name": ("ä = 1", "the character 'ä'"),
    "byte_order_mark": ("\ufeffA -> B; k", "byte order mark"),
    "empty": ("\n \n", "empty"),
    "2_million_characters": ("k = 1 // " + "x" * 2_000_000, "too many"),
    "parenthesis_not_closed": ("A -> B; k*(A\nk = 1", ":1: a ( is not closed"),
    "parenthesis_not_closed_at_the_end": ("k = (1", ":1: a ( is not closed"),
    "parenthesis_not_opened": ("k = 1\nk = 1)", ":2: a ) closes nothing"),
    "parentheses_100000_deep": ("k = " + "(" * 100_000 + "1" + ")" * 100_000, "over 100 nested"),
    "module_without_end": ("model a()\n  k = 1\n", "model 'a' has no end"),
    "function_without_end": ("function f(x)\n  x\n", "function 'f' has no end"),
    "name_of_200000_characters": ("x" * 200_000 + " = 1", "a name of 200000 characters"),
    "text_of_200000_characters": (f'k is "{"x" * 200_000}"', "a string of 200002 characters"),
    "sum_of_50000_terms": ("A -> B; " + "+".join(["A"] * 50_000), "a formula of 50002 terms"),
    "sum_of_5000_terms_in_a_function": (
        f"function f(x)\n  {'+'.join(['x'] * 5_000)}\nend",
        ":2: a formula of 5000 terms",
    ),
    "10001_statements": ("k = 1\n" * 10_001, ":10001: over 10000 statements"),
    "modules_that_double": (modules(14), "statements in 15 levels"),
    "modules_30_deep": (modules(30, copies=1), "in 31 levels"),
    "module_in_itself": ("model a()\n  x: a()\nend", "contains itself: a -> a"),
    "modules_in_one_another": (
        "model a()\n  x: b()\nend\nmodel b()\n  x: a()\nend",
        "contains itself: a -> b -> a",
    ),
    "assignments_that_double": ("".join(f"x{n + 1} = x{n} + x{n};" for n in range(25)), "terms"),
    "rate_laws_that_double": (
        "".join(f"J{n + 1}: A -> B; J{n} + J{n};" for n in range(25)),
        "terms",
    ),
    "unnamed_rate_laws_that_double": (
        "A -> B; A;" + "".join(f"A -> B; _J{n} + _J{n};" for n in range(25)),
        "terms",
    ),
    "modules_that_double_what_they_are_given": (
        f"{DOUBLE}model b()\n"
        + "".join(f"s{n}: double(x{n}, x{n + 1});\n" for n in range(25))
        + "end",
        "model 'b': assignments",
    ),
    "modules_in_compartments_that_double": (
        DOUBLE + "".join(f"s{n}: double(x{n}, x{n + 1}) in c;\n" for n in range(25)),
        "terms",
    ),
    "modules_that_are_joined_to_double": (
        DOUBLE + "".join(f"s{n}: double(); s{n + 1}.x is s{n}.y;\n" for n in range(25)),
        "terms",
    ),
    "chain_of_300_assignments": ("".join(f"x{n + 1} = x{n};" for n in range(300)), "rows of 301"),
    "circle": ("x = y\ny := x", "'x' is computed from itself: x -> y -> x"),
}


HANGING = 20.0
"""Seconds of one processor after which a check counts as hanging: it takes far below one."""


@pytest.mark.parametrize(("text", "said"), BAD_ANTIMONY.values(), ids=BAD_ANTIMONY)
def test_bad_antimony_is_refused_at_once_in_one_line(text: str, said: str) -> None:
    start = time.process_time()
    with pytest.raises(ModelError) as caught:
        check_antimony(text, "strange.ant")
    assert time.process_time() - start < HANGING
    message = str(caught.value)
    assert said in message
    assert message.startswith("strange.ant")
    assert "\n" not in message


GOOD_ANTIMONY = {
    "reaction": "A -> B; k*A; k = 1; A = 10",
    "comments": 'A -> B; k # "a (\nk = 1 // it\'s /* "\n/* b /* " ( */ A = 1',
    "texts": 'A is "a // /* ( b"; A is "a \\" b"\nA notes ```\nany "text" é ( /*```\nA = 1; A -> B',
    "long_notes": f"A notes ```{'any text ' * 10_000}```",
    "umlaut_in_a_comment": "A -> B; 1 // ä",
    "continued_line": "A -> B; k*(A \\\n + 1); k = 1",
    "windows_line_ends": "A -> B; k*A\r\nk = 1\r\n",
    "module_of_one_line": "model a() A -> B; 1; A = 1; end; model b() x: a(); end",
    "main_module": "model *a(A, k)\n  A -> B; k*A\nend\nmodel b\n  x: a(C, 3)\nend",
    "annotations_of_the_model": 'model a\n A -> B; 1\n model notes "text"\nend\nmodel notes "text"',
    "names_that_start_like_keywords": "end1 -> B; 1; model2 = 3; importance = 1; at_once = 2",
    "value_that_is_replaced": "k = q; q = 1; q = 2; k = 3",
    "event_that_counts": "n = 0; at (time > 1): n = n + 1",
    "rate_rule_of_itself": "x' = -x; x = 1",
    "comparison": "k = piecewise(1, a == b, 2); a = k2; b = 1; k2 = 1",
    "unit_named_like_a_parameter": "unit k = 1/second; k = 1; k has k",
    "two_hundred_modules": modules(1, copies=200),
    "function": "function f(x, y)\n  x + y\nend\nA -> B; f(A, B)",
    "interaction": "J: A => B; k*A; C -| J; k = 1",
}


@pytest.mark.parametrize("text", GOOD_ANTIMONY.values(), ids=GOOD_ANTIMONY)
def test_good_antimony_passes(text: str) -> None:
    check_antimony(text, "good.ant")
