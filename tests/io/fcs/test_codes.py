"""The table of codes and the page made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytometry.io.fcs.codes import FCS_CODES
from tools.write_findings import Use, document, uses


@pytest.fixture(scope="module")
def all_uses() -> tuple[Use, ...]:
    return tuple(uses())


# Raised by the error class itself where no finding stands behind it.
_DEFAULTS = {"FCS_UNREADABLE"}


def test_every_code_of_the_reader_is_in_the_table(all_uses: tuple[Use, ...]) -> None:
    used = {u.code for u in all_uses if u.layer == "io/fcs"}
    assert used - set(FCS_CODES) == set()


def test_every_code_in_the_table_is_used(all_uses: tuple[Use, ...]) -> None:
    used = {u.code for u in all_uses}
    assert set(FCS_CODES) - used - _DEFAULTS == set()


def test_page_of_the_readers_codes_is_current(project: Path) -> None:
    page = (project / "docs" / "findings.md").read_text(encoding="utf-8")
    ours, _ = document().split("## Other layers")
    assert page.split("## Other layers")[0] == ours, "run: python tools/write_findings.py"


def test_page_names_every_code_of_the_other_layers(project: Path, all_uses: tuple[Use, ...]) -> None:
    page = (project / "docs" / "findings.md").read_text(encoding="utf-8")
    missing = sorted({u.code for u in all_uses if f"`{u.code}`" not in page})
    assert missing == [], "run: python tools/write_findings.py"
