"""What is built from the repository works without the repository: data and program travel together.

The wheel is built from the source archive, so both are tested at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRINT_LIBRARIES = "import sysconfig; print(sysconfig.get_paths()['purelib'])"


def _run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that knows nothing of the repository."""
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel, and the libraries of this one behind it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    [wheel] = built.glob("*.whl")
    _run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    own = _run(python, "-c", PRINT_LIBRARIES, cwd=folder).strip()
    # A folder named in a .pth file is searched, but the .pth files in it (that of an editable
    # install, say) are not read.
    Path(own, "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin"


def _data_files() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for name in ("models", "scenarios")
        for path in (ROOT / name).rglob("*")
        if path.is_file()
    }


def test_the_source_archive_has_the_data_and_the_tests(built: Path) -> None:
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert _data_files() <= names
    expected = {"LICENSE", "README.md", "CITATION.cff", "constraints.txt", "tests/conftest.py"}
    assert expected <= names


def test_the_wheel_has_the_data_and_nothing_but_the_package(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"myelode/data/{name}" for name in _data_files()} <= names
    assert "myelode/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"myelode"}


def test_the_installed_program_is_not_the_source_tree(installed: Path, tmp_path: Path) -> None:
    script = (
        "import myelode.library as library; print(library.__file__); print(library.data_root())"
    )
    for line in _run(installed / "python", "-c", script, cwd=tmp_path).splitlines():
        assert Path(line).is_relative_to(installed.parent)


def test_the_installed_command_lists_the_models(installed: Path, tmp_path: Path) -> None:
    listed = json.loads(_run(installed / "myelode", "list", "models", "--json", cwd=tmp_path))
    models = {model["name"]: Path(model["path"]) for model in listed["models"]}
    assert set(models) == {path.parent.name for path in ROOT.glob("models/*/*.ant")}
    assert all(path.is_relative_to(installed.parent) for path in models.values())


def test_a_shipped_model_loads_from_another_folder(installed: Path, tmp_path: Path) -> None:
    script = "import myelode; print(myelode.load_model('melflufen').name)"
    assert _run(installed / "python", "-c", script, cwd=tmp_path) == "melflufen\n"


def test_a_shipped_scenario_loads_from_another_folder(installed: Path, tmp_path: Path) -> None:
    script = "import myelode; print(myelode.load_scenario('gamma_h2ax_washout').id)"
    assert _run(installed / "python", "-c", script, cwd=tmp_path) == "gamma_h2ax_washout\n"


def test_the_version_is_the_one_in_the_project_file(installed: Path, tmp_path: Path) -> None:
    script = "import myelode; print(myelode.__version__)"
    version = _run(installed / "python", "-c", script, cwd=tmp_path).strip()
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
