"""Write docs/findings.md from the code: every code of a finding or error, its severity, meaning and remedy.

Usage: python tools/write_findings.py [--check]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "docs" / "findings.md"
_SEVERITY = {
    "info": "info",
    "warn": "warning",
    "guess": "error, warning when lenient",
    "error": "error",
    "refuse": "error",
}
_INTRODUCTION = """# Findings

<!-- written by tools/write_findings.py from the code; do not edit -->

Everything that a reader of the results should know about an input is a *finding*: the same in errors, in `--json`, in
the `qc` table and in the report. Codes are part of the interface: they are added, never renamed.

| field | meaning |
|---|---|
| `code` | stable identifier, below |
| `severity` | `error`: refused; `warning`: the values are right and a reader must know; `info`: for the record |
| `message` | one sentence for a person, with what was found |
| `file`, `dataset`, `segment`, `keyword`, `byte_range` | where; data sets count from 0, bytes are inclusive |
| `found`, `expected`, `fix` | the value, what would be right, what to do |

Reading is strict unless `--lenient` (`strict=False`) is given. *error, warning when lenient* marks what would
change a number on a guess: strict reading refuses, lenient reading goes on and records.
"""


@dataclass(frozen=True)
class Use:
    """One place in the code where a code is used."""

    code: str
    severity: str
    fix: str
    layer: str


def uses() -> Iterator[Use]:
    """Every call in the package that names a code."""
    for path in sorted((PROJECT / "cytometry").rglob("*.py")):
        layer = "/".join(path.relative_to(PROJECT / "cytometry").parts[:-1]) or "model"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        chosen = {id(c): _chosen_severity(f) for f in functions for c in ast.walk(f) if isinstance(c, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _use(node, layer, chosen.get(id(node), ""))


def _chosen_severity(function: ast.FunctionDef) -> str:
    """Severities of ``note = ledger.guess if … else ledger.warn``."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
            ways = (node.value.body, node.value.orelse)
            names = [w.attr for w in ways if isinstance(w, ast.Attribute) and w.attr in _SEVERITY]
            if len(names) == len(ways):
                return " / ".join(_SEVERITY[n] for n in names)
    return ""


def _use(node: ast.Call, layer: str, chosen: str) -> Iterator[Use]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    named = {k.arg: k.value for k in node.keywords if k.arg}
    code = named.get("code") or (node.args[0] if node.args else None)
    if not isinstance(code, ast.Constant) or not isinstance(code.value, str):
        return
    is_call = called in {*_SEVERITY, "note", "Finding"} or called.endswith("Error") or "code" in named
    if not is_call or not code.value.isupper() or not code.value.replace("_", "").isalnum():
        return
    severity = _SEVERITY.get(called, "")
    if called == "Finding" or "severity" in named:
        given = named.get("severity") or (node.args[1] if len(node.args) > 1 else None)
        severity = given.value if isinstance(given, ast.Constant) else "as the case may be"
    elif called == "note":
        severity = chosen or "as the case may be"
    elif not severity:
        severity = "error"
    yield Use(code.value, str(severity), _text(named.get("fix") or named.get("hint")), layer)


def _text(node: ast.expr | None) -> str:
    """A literal, or the literal parts of an f-string with … for the rest."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)
        return "".join(parts)
    return ""


def document() -> str:
    """The whole page."""
    from cytometry.io.fcs.codes import FCS_CODES

    found: dict[str, list[Use]] = {}
    for use in uses():
        found.setdefault(use.code, []).append(use)
    lines = [_INTRODUCTION, "## FCS files", "", "| code | severity | meaning |", "|---|---|---|"]
    for code, meaning in FCS_CODES.items():
        severities = dict.fromkeys(s for u in found.get(code, []) for s in u.severity.split(" / "))
        lines.append(f"| `{code}` | {' / '.join(severities) or 'error'} | {meaning} |")
    lines += ["", "## Other layers", "", "| code | severity | layer | what to do |", "|---|---|---|---|"]
    for code in sorted(set(found) - set(FCS_CODES)):
        severities = dict.fromkeys(u.severity for u in found[code])
        layers = dict.fromkeys(u.layer for u in found[code])
        fix = next((u.fix for u in found[code] if u.fix), "")
        lines.append(f"| `{code}` | {' / '.join(severities)} | {', '.join(layers)} | {fix.replace('|', '∣')} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or with ``--check`` say whether it is current."""
    sys.path.insert(0, str(PROJECT))
    text = document()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
