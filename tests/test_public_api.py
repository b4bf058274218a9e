"""The names that users import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cytometry

CONTRACT = {
    *("read_fcs", "inspect_fcs", "write_fcs", "load_study", "load_panel", "read_gatingml", "write_gatingml"),
    *("place", "gate", "count", "frequencies", "compare", "correlate", "report", "run", "simulate"),
}


def test_names_are_sorted_and_importable() -> None:
    assert list(cytometry.__all__) == sorted(cytometry.__all__)
    for name in cytometry.__all__:
        assert getattr(cytometry, name).__name__ == name


def test_every_name_that_was_promised_is_there() -> None:
    assert set(cytometry.__all__) >= CONTRACT


def test_every_name_is_known_to_a_type_checker() -> None:
    tree = ast.parse(Path(cytometry.__file__).read_text("utf-8"))
    seen = {a.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names}
    assert set(cytometry.__all__) <= seen


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'gatee'"):
        _ = cytometry.gatee  # type: ignore[attr-defined]
