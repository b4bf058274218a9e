"""Tables, texts and truth files of a synthetic study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import OutputError
from cytometry.io.synthetic import make_study_folder, read_truth, write_rows, write_text, write_truth


def test_a_table_has_plain_cells_and_no_empty_column(tmp_path: Path) -> None:
    rows = [{"subject_id": "P1", "withdrawn": True}, {"subject_id": "P2", "pga": 0.5, "withdrawn": False, "sledai": 4}]
    write_rows(tmp_path / "t.csv", ("subject_id", "visit", "sledai", "pga", "withdrawn"), rows)
    assert (tmp_path / "t.csv").read_bytes() == b"subject_id,sledai,pga,withdrawn\nP1,,,true\nP2,4,0.5,false\n"


def test_texts_have_plain_line_ends_everywhere(tmp_path: Path) -> None:
    write_text(tmp_path / "x.md", "µL\nper\n")
    assert (tmp_path / "x.md").read_bytes() == b"\xc2\xb5L\nper\n"


def test_a_truth_file_has_the_same_bytes_at_any_time_and_comes_back(tmp_path: Path) -> None:
    codes, flags = np.array([0, 1, 255], np.uint8), np.array([0, 1, 0], np.uint8)
    for name in ("a.npz", "b.npz"):
        write_truth(tmp_path / name, codes, flags, ["naive", "dn2"])
    data = (tmp_path / "a.npz").read_bytes()
    assert data == (tmp_path / "b.npz").read_bytes()
    # The zip format's own zero of time, 1 January 1980, at the head of the first entry: no clock went in.
    assert data[10:14] == b"\x00\x00\x21\x00"
    read_codes, read_flags = read_truth(tmp_path / "a.npz", ["naive", "dn2", "added later"])
    assert read_codes.tolist() == [0, 1, 255]
    assert read_flags.tolist() == [0, 1, 0]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    make_study_folder(tmp_path, ("fcs", "truth"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fcs", "truth"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="demo: is not empty"):
        make_study_folder(tmp_path / "demo", ("fcs",))


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"x\.md: cannot be written"):
        write_text(tmp_path / "missing" / "x.md", "text")
