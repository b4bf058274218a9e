"""The rules of the architecture that a machine can hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "cytometry"
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS_WITHOUT_FILES = (
    "model",
    "preprocessing",
    "gating",
    "quantification",
    "clinical",
    "statistics",
    "plotting",
    "simulation",
)
FILE_CALLS = {
    "open", "read_csv", "to_csv", "read_text", "write_text", "read_bytes", "write_bytes", "to_parquet", "read_parquet",
    "savefig", "fromfile", "tofile", "memmap", "savez", "savez_compressed",
}  # fmt: skip


def _layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def _name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def _calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, node.lineno
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr, node.lineno


@pytest.mark.parametrize("path", [p for p in MODULES if _layer(p) in LAYERS_WITHOUT_FILES], ids=_name)
def test_layer_below_io_opens_no_file(path: Path) -> None:
    found = [f"line {line}: {name}" for name, line in _calls(ast.parse(path.read_text("utf-8"))) if name in FILE_CALLS]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_has_no_mutable_names_and_no_pyplot(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    mutable = [
        f"line {node.lineno}"
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
        and not any(isinstance(t, ast.Name) and t.id == "__all__" for t in getattr(node, "targets", []))
    ]
    assert mutable == []
    imported = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    }
    assert "matplotlib.pyplot" not in imported | {"matplotlib." + n for n in imported if n == "pyplot"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_is_named_after_what_it_knows(path: Path) -> None:
    assert not {"utils", "util", "helpers", "helper", "common", "core", "misc"} & {*path.parts, path.stem}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_public_functions_and_classes_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)
    ]
    assert bare == []


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(' '.join(sorted(m.split('.')[0] for m in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_brings_no_heavy_module_in() -> None:
    heavy = {
        "numpy",
        "pandas",
        "scipy",
        "sklearn",
        "matplotlib",
        "seaborn",
        "flowkit",
        "flowio",
        "anndata",
        "scanpy",
        "jinja2",
        "pydantic",
    }
    assert heavy & _modules_after("import cytometry") == set()


def test_help_brings_no_numpy_in() -> None:
    statement = (
        "import contextlib, io\n"
        "from cytometry.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])"
    )
    heavy = {"numpy", "pandas", "scipy", "sklearn", "matplotlib", "flowkit", "pydantic"}
    assert heavy & _modules_after(statement) == set()
