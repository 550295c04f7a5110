"""A process of its own bears what the libraries do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from myelode.errors import ModelError
from myelode.preflight import check_in_subprocess, loading

SBML = '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">{}</sbml>'
GOOD = SBML.format('<model id="m"/>')
DOUBLING = "A -> B; x25; x0 = 1\n" + "".join(f"x{n + 1} := x{n} + x{n}\n" for n in range(25))


@pytest.mark.parametrize("text", [GOOD, "A -> B; k*A; k = 1; A = 10"], ids=["sbml", "antimony"])
def test_a_good_model_survives_the_libraries(text: str) -> None:
    check_in_subprocess(text, "good")


def test_what_the_libraries_refuse_in_peace_is_no_fault_here() -> None:
    check_in_subprocess("A -> ; ; (", "bad.ant")


def test_a_hang_of_the_libraries_is_a_model_error() -> None:
    with pytest.raises(ModelError, match=r"^bad: the file .* take longer than 2 s$"):
        check_in_subprocess(DOUBLING, "bad", seconds=2)


def test_libraries_that_do_not_start_are_told_from_a_crash() -> None:
    with pytest.raises(ModelError, match="the SBML libraries do not start"):
        check_in_subprocess(GOOD, "good", megabytes=60)


ENDINGS = {
    "crash": ("os.kill(os.getpid(), signal.SIGSEGV)", "makes the SBML libraries crash"),
    "abort": ("os.abort()", "makes the SBML libraries crash"),
    "processor_time": ("os.kill(os.getpid(), signal.SIGXCPU)", "take longer than 9 s"),
    "memory_of_cpp": ("print('bad_alloc', file=sys.stderr); os.abort()", "use more than 1024 MB"),
    "memory_of_python": ("raise MemoryError", "use more than 1024 MB"),
    "exception": ("import no_such_library", "do not start: ModuleNotFoundError"),
}


@pytest.mark.parametrize(("script", "said"), ENDINGS.values(), ids=ENDINGS)
def test_every_end_of_the_process_has_its_message(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The libraries' own crashes go away with their bugs, so a script stands in for them."""
    stand_in = tmp_path / "loading.py"
    stand_in.write_text(f"import os, signal, sys\nsys.stdin.read()\n{script}\n")
    monkeypatch.setattr(loading, "__file__", str(stand_in))
    with pytest.raises(ModelError) as caught:
        check_in_subprocess(GOOD, "bad.xml", seconds=9)
    assert str(caught.value).startswith("bad.xml: ")
    assert said in str(caught.value)


def test_the_process_sees_neither_folder_nor_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "loading.py"
    stand_in.write_text(
        "import os, sys\n"
        "assert sys.stdin.read().startswith('<sbml')\n"
        "assert os.listdir() == [] and 'SECRET' not in os.environ\n"
    )
    monkeypatch.setattr(loading, "__file__", str(stand_in))
    monkeypatch.setenv("SECRET", "1")
    check_in_subprocess(GOOD, "good.xml")
