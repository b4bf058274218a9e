"""Every path of a folder is listed as read or skipped, with the reason."""

from __future__ import annotations

import os
from pathlib import Path

from cytometry.io.fcs.discover import duplicate_findings, list_fcs_files
from tests.io.fcs.builder import float_file


def test_every_kind_of_path_has_its_reason(tmp_path: Path) -> None:
    content = float_file().bytes()
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("a.fcs", "B.FCS", "c.lmd", ".hidden.fcs", "060909.001", "notes.txt", "inner/d.Fcs", ".git/e.fcs"):
        (tmp_path / name).write_bytes(b"text" if name == "notes.txt" else content)
    (tmp_path / "link.fcs").symlink_to(tmp_path / "outside.bin")
    (tmp_path / "again.fcs").symlink_to(tmp_path / "a.fcs")
    (tmp_path / "circle").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.fcs")
    listed = {str(i.path.relative_to(tmp_path)): (i.is_read, i.reason) for i in list_fcs_files([tmp_path])}
    assert listed == {
        "a.fcs": (True, "ends in .fcs"),
        "again.fcs": (False, f"the same file as {tmp_path / 'a.fcs'}"),
        "B.FCS": (True, "ends in .FCS"),
        "c.lmd": (True, "ends in .lmd"),
        "inner/d.Fcs": (True, "ends in .Fcs"),
        ".hidden.fcs": (False, "hidden file"),
        ".git": (False, "hidden folder"),
        "060909.001": (False, "begins like FCS, but ends in '.001': name it to read it"),
        "notes.txt": (False, "ends in '.txt'"),
        "link.fcs": (False, "link to nothing"),
        "circle": (False, "link to a folder, not followed"),
        "pipe.fcs": (False, "device, pipe or socket"),
    }


def test_named_file_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "060909.001").write_bytes(float_file().bytes())
    assert [(i.is_read, i.reason) for i in list_fcs_files([tmp_path / "060909.001"])] == [(True, "named")]


def test_missing_file_is_left_to_the_reader_to_refuse(tmp_path: Path) -> None:
    listed = list_fcs_files([tmp_path / "none.fcs", tmp_path / "none.fcs"])
    assert [i.is_read for i in listed] == [True, True]


def test_duplicates_are_found_by_content_only() -> None:
    found = duplicate_findings({"a.fcs": "11", "b.fcs": "22", "c.fcs": "11", "d.fcs": "", "e.fcs": ""})
    assert [(f.file, f.message) for f in found] == [("c.fcs", "has the same bytes as a.fcs")]
