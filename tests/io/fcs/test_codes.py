"""The table of codes and the page made from it."""

from __future__ import annotations

from pathlib import Path

from cytometry.io.fcs.codes import FCS_CODES
from tools.write_findings import document, uses

# Raised by the error class itself where no finding stands behind it.
_DEFAULTS = {"FCS_UNREADABLE"}


def test_every_code_of_the_reader_is_in_the_table() -> None:
    used = {u.code for u in uses() if u.layer == "io/fcs"}
    assert used - set(FCS_CODES) == set()


def test_every_code_in_the_table_is_used() -> None:
    used = {u.code for u in uses()}
    assert set(FCS_CODES) - used - _DEFAULTS == set()


def test_page_of_the_readers_codes_is_current(project: Path) -> None:
    page = (project / "docs" / "findings.md").read_text(encoding="utf-8")
    ours, _ = document().split("## Other layers")
    assert page.split("## Other layers")[0] == ours, "run: python tools/write_findings.py"


def test_page_names_every_code_of_the_other_layers(project: Path) -> None:
    page = (project / "docs" / "findings.md").read_text(encoding="utf-8")
    missing = sorted({u.code for u in uses() if f"`{u.code}`" not in page})
    assert missing == [], "run: python tools/write_findings.py"
