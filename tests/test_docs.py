"""The pages that come from the code are current, and every link of README and docs leads somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_generated_pages_are_current() -> None:
    """In a process of its own: a command that another test called directly remembers other help options."""
    script = ROOT / "tools" / "write_docs.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0), f"run `make docs`\n{done.stderr}"


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
