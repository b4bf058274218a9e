"""Options that several commands share, each written once.

``HOW`` options say how a command runs and may come from the environment
(``CYTOMETRY_JOBS``, …); ``WHAT`` options change results and never do: an analysis
may not depend on whose computer ran it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
Decorator = Callable[[_Command], _Command]

HOW: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "out": click.option(
            "-o",
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            default=Path("out"),
            envvar="CYTOMETRY_OUT",
            show_default=True,
            help="Output folder.",
        ),
        "jobs": click.option(
            "-j",
            "--jobs",
            type=click.IntRange(1, 256),
            default=None,
            envvar="CYTOMETRY_JOBS",
            help="Worker processes; default: one per core.",
        ),
        "dry_run": click.option("-n", "--dry-run", is_flag=True, help="Say what would be done and why; write nothing."),
        "json": click.option(
            "--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there."
        ),
        "progress": click.option(
            "--progress",
            type=click.Choice(["auto", "plain", "none"]),
            default="auto",
            envvar="CYTOMETRY_PROGRESS",
            help="Progress on stderr.",
        ),
        "log_file": click.option(
            "--log-file",
            type=click.Path(path_type=Path, dir_okay=False),
            default=None,
            envvar="CYTOMETRY_LOG_FILE",
            help="Log, with the same as .jsonl beside it.  [default: OUT/logs/run-<UTC>.log]",
        ),
        "force": click.option("--force", is_flag=True, help="Redo everything; replace another study's results."),
    }
)

WHAT: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "sample": click.option("--sample", "samples", multiple=True, help="Only groups with this sample; repeatable."),
        "panel": click.option("--panel", "panels", multiple=True, help="Only this panel; repeatable."),
        "strict": click.option(
            "--strict/--lenient", default=True, help="Refuse FCS files whose numbers would rest on a guess, or go on."
        ),
        "set": click.option(
            "--set",
            "changes",
            multiple=True,
            metavar="KEY=VALUE",
            help="In place of study.yaml's value, for this run: plan.alpha=0.01; repeatable, recorded.",
        ),
        "fail_on": click.option(
            "--fail-on",
            type=click.Choice(["info", "warning"]),
            default=None,
            help="Exit 3 if a finding of this severity, or worse, was made.",
        ),
    }
)


def shared(*names: str) -> Decorator[Any]:
    """Add shared options to a command, in this order."""

    def add(command: Any) -> Any:
        for name in reversed(names):
            option = HOW[name] if name in HOW else WHAT[name]
            command = option(command)
        return command

    return add


def worker_count(jobs: int | None) -> int:
    """``--jobs``, or one per core that this process may use."""
    return jobs or len(os.sched_getaffinity(0))
