"""``cytometry doctor``: what this installation is made of."""

from __future__ import annotations

import importlib.util
import locale
import os
import shutil
import sys
from pathlib import Path

import click

from cytometry.cli.options import shared, worker_count
from cytometry.cli.output import Json, print_json, say

# Optional parts and what they bring.
_OPTIONAL = (("playwright", "browser tests"), ("openpyxl", "Excel export"), ("distributed", "clusters"))


@click.command()
@shared("json")
def doctor(as_json: bool) -> int:
    """Report versions, locale, free disk, cores and optional parts. Exit 1 if something needed is missing."""
    from cytometry.io.panels import shipped_panel_names
    from cytometry.pipeline.out_folder import versions

    free = shutil.disk_usage(Path.cwd()).free
    panels = shipped_panel_names()
    found: dict[str, Json] = {
        "versions": dict(versions()),
        "executable": sys.executable,
        "locale": ".".join(str(p) for p in locale.getlocale()),
        "filesystem_encoding": sys.getfilesystemencoding(),
        "cores": worker_count(None),
        "free_disk_gb": round(free / 1e9, 1),
        "panels": list(panels),
        "optional": {name: importlib.util.find_spec(name) is not None for name, _ in _OPTIONAL},
        "environment": {k: v for k, v in sorted(os.environ.items()) if k.startswith("CYTOMETRY_")},
    }
    problems = [] if panels else ["no shipped panels: reinstall cytometry"]
    if as_json:
        print_json({"schema_version": 1, "status": "problem" if problems else "done", **found})
    else:
        for name, value in found.items():
            shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            say(f"{name}: {shown}")
        for problem in problems:
            say(f"problem: {problem}")
    return 1 if problems else 0
