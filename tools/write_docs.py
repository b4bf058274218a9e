"""Write the pages of ``docs/`` that come from the code: commands, tables, findings.

Usage: python tools/write_docs.py [--check]   (``make docs``; a test says whether the pages are current)
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def commands_page() -> str:
    """Every command as its ``--help`` prints it."""
    import click

    from cytometry.cli.main import cytometry as cli
    from cytometry.cli.registry import COMMANDS

    parts = [
        "# Commands",
        "",
        "Written by `make docs` from the commands themselves. Exit codes are in the README.",
    ]
    context = click.Context(cli, info_name="cytometry", terminal_width=100, **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            raise SystemExit(f"no command {name}")
        own = click.Context(command, info_name=name, parent=context, terminal_width=100, max_content_width=100)
        parts += ["", f"## cytometry {name}", "", "```", command.get_help(own), "```"]
    return "\n".join(parts) + "\n"


def tables_page() -> str:
    """Columns of every table that is read or written."""
    from cytometry.clinical.sri import SriResult
    from cytometry.model import agreement_tables, input_tables, tables
    from cytometry.model.tables import TableSchema
    from cytometry.pipeline.frames import documented_columns
    from cytometry.statistics.association import Association
    from cytometry.statistics.comparison import Comparison
    from cytometry.statistics.individuals import IndividualChange
    from cytometry.statistics.response import ResponderEstimate, ResponseRate

    def schemas(module: object) -> list[TableSchema]:
        return [v for v in vars(module).values() if isinstance(v, TableSchema)]

    parts = [
        "# Tables",
        "",
        "Written by `make docs` from the schemas that readers and writers use. An empty cell is missing or undefined,",
        "in every table; a fraction lies between 0 and 1. Output folders say the same in `tables/datapackage.json`.",
        "",
        "## Read",
    ]
    for schema in schemas(input_tables):
        parts += _schema_section(schema)
    parts += ["", "## Written by gating"]
    for schema in schemas(tables):
        parts += _schema_section(schema)
    parts += ["", "## Written by statistics"]
    kinds: Mapping[str, type] = {
        "comparison": Comparison,
        "correlation": Association,
        "responders": ResponderEstimate,
        "individuals": IndividualChange,
        "response_rate": ResponseRate,
        "sri": SriResult,
    }
    for name, kind in kinds.items():
        parts += ["", f"### {name}.csv", "", "| column | meaning |", "|---|---|"]
        parts += [f"| `{c}` | {_cell(m)} |" for c, m in documented_columns(kind).items()]
    parts += ["", "## Written by compare-strategies"]
    for schema in agreement_tables.AGREEMENT_TABLES:
        parts += _schema_section(schema)
    return "\n".join(parts) + "\n"


def _schema_section(schema: object) -> list[str]:
    from cytometry.model.tables import TableSchema

    if not isinstance(schema, TableSchema):
        raise TypeError(type(schema).__name__)
    row = schema.row.removeprefix("one ")
    lines = ["", f"### {schema.name.removesuffix('.csv')}.csv", "", f"One row per {row}.", ""]
    lines += ["| column | type | unit | required | meaning |", "|---|---|---|---|---|"]
    for c in schema.columns:
        lines.append(f"| `{c.name}` | {c.type} | {c.unit} | {'yes' if c.required else ''} | {_cell(c.meaning)} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def pages() -> Mapping[str, str]:
    """File name in ``docs/`` to its text."""
    from tools.write_findings import document

    return {"commands.md": commands_page(), "tables.md": tables_page(), "findings.md": document()}


def main() -> int:
    """Write every page; with ``--check`` write nothing and name the pages that are not current."""
    stale = [name for name, text in pages().items() if _current(name) != text]
    if "--check" in sys.argv[1:]:
        print("\n".join(stale), end="")
        return 1 if stale else 0
    for name, text in pages().items():
        (PROJECT / "docs" / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")
    return 0


def _current(name: str) -> str:
    path = PROJECT / "docs" / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
    sys.exit(main())
