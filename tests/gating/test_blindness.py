"""Nothing that places or applies gates can so much as name what it must not see."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cytometry

PACKAGE = Path(cytometry.__file__).parent
BLIND = sorted([*(PACKAGE / "gating").rglob("*.py"), *(PACKAGE / "preprocessing").rglob("*.py")])
# Who was seen when, what was measured in them, and what is made of it.
UNSEEN = (
    "cytometry.clinical",
    "cytometry.statistics",
    "cytometry.simulation",
    "cytometry.model.clinical",
    "cytometry.model.plan",
    "cytometry.model.study",
    "cytometry.model.input_tables",
)


def imported(path: Path) -> set[str]:
    """Modules that a file imports anywhere: also inside functions, and for types only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return found


@pytest.mark.parametrize("path", BLIND, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_imports_nothing_of_visits_clinic_or_outcome(path: Path) -> None:
    assert [m for m in sorted(imported(path)) if m.startswith(UNSEEN)] == []


def test_such_an_import_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "peeking.py"
    path.write_text("def f():\n    from cytometry import clinical\n    from cytometry.model.study import Study\n")
    assert [m for m in sorted(imported(path)) if m.startswith(UNSEEN)] == [
        "cytometry.clinical",
        "cytometry.model.study",
        "cytometry.model.study.Study",
    ]


def test_a_tube_holds_no_visit_arm_or_response() -> None:
    """All that placing is told of a tube. What is added here must be opaque."""
    from dataclasses import fields

    from cytometry.gating.tubes import Tube

    assert [f.name for f in fields(Tube)] == [
        "key",
        "sample",
        "channel_map",
        "subject_group",
        "batch_group",
        "role",
        "file_compensation",
        "other_batches",
        "is_masked",
    ]
