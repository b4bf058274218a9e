"""Every command: where it lives and its line in ``--help``. Read without importing any of them.

The help texts stand here, not only in the commands: otherwise ``cytometry --help``
and shell completion would import every command with all that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """``module:attribute`` of a click command, and its short help."""

    target: str
    help: str


COMMANDS: Mapping[str, CommandEntry] = MappingProxyType(
    {
        "run": CommandEntry("cytometry.cli.run:run", "The main job: check, gate, test, report."),
        "check": CommandEntry("cytometry.cli.check:check", "Check tables, files and markers of a study; gate nothing."),
        "gate": CommandEntry("cytometry.cli.gate:gate", "Gate files, folders or a study and count."),
        "stats": CommandEntry("cytometry.cli.stats:stats", "Test changes and correlations from counts."),
        "report": CommandEntry("cytometry.cli.report:report", "Write the report again from the tables."),
        "status": CommandEntry("cytometry.cli.status:status", "Say per sample what is done, stale or failed."),
        "init": CommandEntry("cytometry.cli.init:init", "Start a study, from FCS files or as a demo."),
        "inspect": CommandEntry(
            "cytometry.cli.inspect:inspect", "Show what FCS files hold and what is wrong with them."
        ),
        "export": CommandEntry("cytometry.cli.export:export", "Write gated populations in other formats."),
        "spillover": CommandEntry("cytometry.cli.spillover:spillover", "Compute spillover from single-stain controls."),
        "verify": CommandEntry("cytometry.cli.verify:verify", "Compare an output folder with its manifest."),
        "validate": CommandEntry(
            "cytometry.cli.validate:validate", "Try on this computer what the package claims; write a report."
        ),
        "compare": CommandEntry(
            "cytometry.cli.compare:compare", "Put counts beside those that FlowJo or FACSDiva stored."
        ),
        "compare-strategies": CommandEntry(
            "cytometry.cli.compare_strategies:compare_strategies",
            "Gate with two strategies; compare events, shares and conclusions.",
        ),
        "panel": CommandEntry("cytometry.cli.panel:panel", "Start, try, freeze, list and compare panels."),
        "overrides": CommandEntry(
            "cytometry.cli.overrides:overrides", "Correct placed gates by hand, with author and reason."
        ),
        "plan": CommandEntry("cytometry.cli.plan:plan", "Seal the analysis plan, and list what departed from it."),
        "schema": CommandEntry("cytometry.cli.schema:schema", "Print a JSON Schema of what a person writes."),
        "completion": CommandEntry("cytometry.cli.completion:completion", "Print a shell completion script."),
        "doctor": CommandEntry("cytometry.cli.doctor:doctor", "Report versions, locale, disk and optional parts."),
    }
)
