"""The pages that come from the code are current, and every link of README and docs leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.write_docs import pages

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", ["commands.md", "tables.md", "findings.md"])
def test_page_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == pages()[name], "run `make docs`"


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    broken = [t for t in links if not t.startswith("http") and not (path.parent / t).exists()]
    assert broken == []


def test_readme_shows_the_two_commands_and_they_exist() -> None:
    readme, makefile = (ROOT / "README.md").read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    for target in ("demo", "test"):
        assert f"make {target} " in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_command_that_the_readme_names_is_registered() -> None:
    from cytometry.cli.registry import COMMANDS

    named = set(
        re.findall(r"^(?:\.venv/bin/)?cytometry ([a-z-]+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    )
    assert named
    assert named <= set(COMMANDS)
