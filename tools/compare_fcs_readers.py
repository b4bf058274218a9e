"""Set our reading of reference files beside FlowIO's and fcsparser's, and say why where they differ.

Usage: python tools/compare_fcs_readers.py FOLDER   (writes docs/fcs_readers.md)
The folder is searched for FCS files; ``parser_comparison.json`` beside them adds what other versions did.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "docs" / "fcs_readers.md"
_NAMED = (".fcs", ".lmd", ".001", ".b08")

# (file, reader) -> why the other reader differs, checked by hand on the bytes.
WHY_IT_DIFFERS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("Beckman_Cytomics_FC500.LMD", "fcsparser"): (
            "$PnB is 10 and the values stand in 16-bit words: DATA's size says so, and the second data set of the file "
            "holds the same events with 20 bits, whose upper 10 equal ours. fcsparser takes 8 bits of each"
        ),
        ("FACSCalibur_0877408774.B08", "FlowIO"): (
            "$P3S, $P4S, $P5S are empty, written as two delimiters. FlowIO takes them for an escaped delimiter and "
            "loses the keywords behind, $P6N among them"
        ),
        ("data_start_offset_discrepancy_example.fcs", "fcsparser"): (
            "HEADER puts the begin of DATA inside TEXT; only $BEGINDATA is possible, and $TOT fits there. fcsparser "
            "reads letters of TEXT as values"
        ),
    }
)

# Part of the reader's error -> what it means. The file itself is in order or mended with a finding.
WHY_IT_CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "DataOffsetDiscrepancyError": "HEADER and TEXT disagree on DATA; we let the values decide and say so",
        "MultipleDataSetsError": "several data sets; we read one and say that there are more",
        "cannot reshape array of size 1": "integers of 10 or 24 bits, which FlowIO does not unpack",
        "data offset that is off by 1": "the end of DATA is one too far; begin and $TOT fit the file",
        "invalid literal for int() with base 10: b' '": "offsets blank in HEADER, as for large files; they are in TEXT",
        "indices imply (10000, 0)": "empty values written as two delimiters confuse fcsparser's table of channels",
        "no attribute 'newbyteorder'": "fcsparser 0.2.4 does not know NumPy 2; with a shim it reads the file as we do",
        "Timestep value should be a float": "$TIMESTEP is no number; we leave Time in ticks and say so",
        "FCS file indicates data section greater": "the file holds HEADER and TEXT only; we refuse it too",
        "Part of the data segment is missing": "the file holds HEADER and TEXT only; we refuse it too",
        "seems corrupted": "ten bytes that are no FCS file; we refuse it too",
        "invalid literal for int() with base 10: b''": "ten bytes that are no FCS file; we refuse it too",
    }
)


@dataclass(frozen=True)
class Row:
    """One reader's result on one file, beside ours.

    ``verdict`` is ``agrees``, ``differs`` or ``cannot read``; ``why`` is empty where nothing needs explaining.
    """

    file: str
    ours: str
    reader: str
    verdict: str
    why: str

    @property
    def is_explained(self) -> bool:
        return self.verdict == "agrees" or bool(self.why)


def fcs_files(root: Path) -> tuple[Path, ...]:
    """Everything that is or claims to be FCS below a folder."""
    return tuple(sorted(p for p in root.rglob("*") if p.is_file() and p.suffix.lower() in _NAMED))


def compare(path: Path) -> tuple[Row, ...]:
    """Our result on one file beside FlowIO's and fcsparser's, read now, and the recorded ones of other versions."""
    from cytometry.errors import FcsError
    from cytometry.io.fcs import read_fcs
    from cytometry.io.fcs.second_opinion import ask_others

    rows = []
    try:
        sample = read_fcs(path)
        severe = [f.code for f in sample.findings if f.severity != "info"]
        ours = f"{sample.n_events:,} × {len(sample.channels)}" + (
            f", {', '.join(dict.fromkeys(severe))}" if severe else ""
        )
        n_events: int | None = sample.n_events
        for opinion in ask_others(sample).opinions:
            why = _why(path.name, opinion.reader, opinion.verdict, opinion.detail)
            rows.append(Row(path.name, ours, opinion.reader, opinion.verdict, why))
    except FcsError as error:
        ours, n_events = f"refused: {error.code}", None
    recorded = _recorded(path)
    for reader, result in recorded.items():
        verdict = _recorded_verdict(result, n_events)
        why = _why(path.name, reader, verdict, result)
        if n_events is None and verdict == "cannot read" and why:
            verdict = "agrees"
        rows.append(Row(path.name, ours, f"{reader} (recorded)", verdict, why))
    return tuple(rows)


def _recorded(path: Path) -> dict[str, str]:
    table = path.parent / "parser_comparison.json"
    if not table.is_file():
        return {}
    entries = {e["file"]: e for e in json.loads(table.read_text(encoding="utf-8"))}
    entry = entries.get(path.name, {})
    names = {
        "flowio_1.4.0": "FlowIO 1.4.0",
        "flowkit_1.3.2": "FlowKit 1.3.2",
        "fcsparser_0.2.8_numpy1": "fcsparser 0.2.8",
        "fcsparser_0.2.4_numpy2": "fcsparser 0.2.4 without shim",
    }
    return {names[k]: str(v) for k, v in entry.items() if k in names}


def _recorded_verdict(result: str, n_events: int | None) -> str:
    if not result.startswith("ok"):
        return "cannot read"
    told = result.removeprefix("ok").strip(", ").removesuffix(" events")
    if n_events is None or (told.isdigit() and int(told) != n_events):
        return "differs"
    return "agrees"


def _why(file: str, reader: str, verdict: str, detail: str) -> str:
    if verdict == "agrees":
        return ""
    if verdict == "differs":
        return WHY_IT_DIFFERS.get((file, reader.split()[0]), "")
    return next((why for part, why in WHY_IT_CANNOT.items() if part in detail), "")


def page(rows: Iterable[Row]) -> str:
    """The table as Markdown."""
    lines = [
        "# Our reader beside others",
        "",
        "<!-- written by tools/compare_fcs_readers.py; do not edit -->",
        "",
        "Stored values, names and number of events of public reference files, read by us, by FlowIO and by fcsparser.",
        "Where readers differ, the reason was found on the bytes. A row says *agrees* where events, names and values",
        "are equal, or both refuse. `(recorded)`: only the number of events was recorded.",
        "",
        "| file | ours | reader | verdict | why |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {r.file} | {r.ours} | {r.reader} | {r.verdict} | {r.why} |" for r in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Compare and write; return 1 where something is unexplained."""
    sys.path.insert(0, str(PROJECT))
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__)
        return 2
    rows = [row for path in fcs_files(Path(sys.argv[1])) for row in compare(path)]
    TARGET.write_text(page(rows), encoding="utf-8")
    unexplained = [r for r in rows if not r.is_explained]
    for row in unexplained:
        print(f"unexplained: {row}")
    counts = {v: sum(r.verdict == v for r in rows) for v in ("agrees", "differs", "cannot read")}
    print(f"{len({r.file for r in rows})} files, {counts}, {len(unexplained)} unexplained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
