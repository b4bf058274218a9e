"""Control charts of a run: every population, boundary and intensity of the bridging controls over acquisition date."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from cytometry.model.findings import Finding
from cytometry.model.tables import Cell, Row
from cytometry.quantification.control_rules import broken_rules, control_limits, is_rejected
from cytometry.quantification.table_numbers import table_number

Kind = Literal["population", "threshold", "intensity"]

CONTROL: Final = "control"
# With fewer events a share or a median moves by counting alone.
FEWEST_EVENTS: Final = 50
# Two and three of these standard deviations are the 20 and 30 % of the target that small programmes accept.
TOLERATED_SHARE: Final = 0.10
# Of the display scale: two of them are a quarter of the signal on a scale of 4.5 decades.
TOLERATED_DISPLAY: Final = 0.01
# So many quantities are named in a finding; the table has all.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class ControlRun:
    """One tube of control material.

    Parameters
    ----------
    sample_id, panel, batch
        As in the tables.
    material
        Which control: two materials are never in one chart.
    acquired_at
        ISO 8601; empty where neither table nor file says.
    file
        As the input gives it, for findings.
    """

    sample_id: str
    panel: str
    material: str
    batch: str
    acquired_at: str
    file: str


@dataclass(frozen=True, slots=True)
class _Value:
    """One quantity of one run; ``sd`` is its error from counting or placing, ``n_events`` what it rests on."""

    run: ControlRun
    value: float
    sd: float = 0.0
    n_events: float = math.inf
    linear: float = math.nan


_Charts = dict[tuple[str, str, Kind, str], list[_Value]]


def control_chart(runs: Sequence[ControlRun], tables: Mapping[str, Sequence[Row]]) -> list[dict[str, Cell]]:
    """Rows of ``control_chart.csv``: one per control tube and charted quantity.

    Charted are the share of each population in its parent, each boundary on the
    display scale, and of each marker the median of the population without
    subsets in which it is brightest, if that lies above the marker's lowest
    boundary: a mixture's median jumps, and a dim one says more about
    compensation than about the run. Shares and medians that rest on fewer than
    50 events in the middle run are left out.

    Parameters
    ----------
    runs
        Of all panels, in input order; sorted here by date. Undated runs keep their order, after the dated.
    tables
        Rows of ``frequencies``, ``thresholds`` and ``intensities``.
    """
    by_id = {r.sample_id: r for r in runs}
    # Sorting is stable: undated runs keep their order.
    dated = sorted(runs, key=lambda r: (not r.acquired_at, r.acquired_at))
    order = {r.sample_id: place for place, r in enumerate(dated)}
    charts: _Charts = {}
    for table, quantities in (("frequencies", _shares), ("thresholds", _boundaries), ("intensities", _medians)):
        own = [(by_id[str(r["sample_id"])], r) for r in tables[table] if r["sample_id"] in by_id]
        if table == "intensities":
            parents = {str(r["path"]).rpartition("/")[0] for _, r in own}
            own = [(run, r) for run, r in own if r["path"] not in parents]
        found: _Charts = {}
        for run, row in own:
            for kind, item, value in quantities(row, run):
                found.setdefault((run.panel, run.material, kind, item), []).append(value)
        charts |= _brightest(found, tables["thresholds"]) if table == "intensities" else found
    rows: list[dict[str, Cell]] = []
    for (_, material, kind, item), values in charts.items():
        if median(v.n_events for v in values) >= FEWEST_EVENTS:
            rows += _chart_rows(material, kind, item, sorted(values, key=lambda v: order[v.run.sample_id]))
    return rows


def control_findings(rows: Sequence[Row], runs: Sequence[ControlRun]) -> dict[str, tuple[Finding, ...]]:
    """One finding per control tube that a rule rejects, by sample: what is farthest off, and how much else."""
    found: dict[str, tuple[Finding, ...]] = {}
    for run in runs:
        own = [r for r in rows if r["sample_id"] == run.sample_id]
        out = [r for r in own if is_rejected(str(r["rules"]).split(";"))]
        if not out:
            continue
        out.sort(key=lambda r: -abs(float(r["z"] or 0.0)))
        named = ", ".join(
            f"{r['item']} ({r['kind']}, {r['rules']}, z {float(r['z'] or 0.0):.1f})" for r in out[:_NAMED]
        )
        more = f" and {len(out) - _NAMED} more" if len(out) > _NAMED else ""
        limits = "provisional limits, fewer than 20 runs" if out[0]["limits"] == "provisional" else "limits of 20 runs"
        found[run.sample_id] = (
            Finding(
                "CONTROL_REJECTED",
                "warning",
                f"the control is out in {len(out)} of {len(own)} charted quantities ({limits}): {named}{more}",
                file=run.file,
                segment="control chart",
                found=str(len(out)),
                fix="look at the control charts before comparing this batch's samples with those of other batches",
            ),
        )
    return found


def _shares(row: Row, run: ControlRun) -> Iterator[tuple[Kind, str, _Value]]:
    count, whole, fraction = row["count"], row["denominator_count"], row["fraction"]
    if row["denominator"] == "parent" and isinstance(fraction, float | int) and isinstance(count, int) and whole:
        sd = math.sqrt(fraction * (1.0 - fraction) / float(whole))
        yield "population", str(row["population"]), _Value(run, float(fraction), sd, count)


def _boundaries(row: Row, run: ControlRun) -> Iterator[tuple[Kind, str, _Value]]:
    value, sd, linear = row["value_display"], row["uncertainty_sd"], row["value_linear"]
    # Where a run lies along time says how long it lasted.
    if isinstance(value, float | int) and row["method"] != "time":
        item = str(row["cut"]) if row["cut"] == row["dimension"] else f"{row['cut']} on {row['dimension']}"
        yield "threshold", item, _Value(run, float(value), float(sd or 0.0), linear=float(linear or math.nan))


def _medians(row: Row, run: ControlRun) -> Iterator[tuple[Kind, str, _Value]]:
    value, n = row["median"], row["n_events"]
    if isinstance(value, float | int) and isinstance(n, int):
        yield (
            "intensity",
            f"{row['marker'] or row['channel']} in {row['population']}",
            _Value(run, float(value), 0.0, n),
        )


def _brightest(charts: _Charts, thresholds: Sequence[Row]) -> _Charts:
    """Of each marker, the population with the highest middle median that rests on enough events in every run."""
    lowest: dict[tuple[Cell, Cell], float] = {}
    for row in thresholds:
        boundary = row["value_linear"]
        if isinstance(boundary, float | int):
            key = (row["panel"], row["dimension"])
            lowest[key] = min(lowest.get(key, math.inf), boundary)
    longest: dict[tuple[str, str], int] = {}
    for (panel, material, _, _), values in charts.items():
        longest[panel, material] = max(longest.get((panel, material), 0), len(values))
    best: dict[tuple[str, str, str], tuple[float, tuple[str, str, Kind, str]]] = {}
    for chart, values in charts.items():
        panel, material, _, item = chart
        marker = item.rpartition(" in ")[0]
        if len(values) < longest[panel, material] or min(v.n_events for v in values) < FEWEST_EVENTS:
            continue
        middle = median(v.value for v in values)
        above = max(lowest.get((panel, marker), 0.0), 0.0)
        if middle > above and middle > best.get((panel, material, marker), (0.0, chart))[0]:
            best[panel, material, marker] = (middle, chart)
    return {chart: charts[chart] for _, chart in best.values()}


def _chart_rows(material: str, kind: Kind, item: str, values: Sequence[_Value]) -> list[dict[str, Cell]]:
    limits = control_limits([v.value for v in values], _tolerated(kind, values))
    z = [(v.value - limits.centre) / limits.sd if limits.sd > 0 else math.nan for v in values]
    return [
        {
            "panel": v.run.panel,
            "material": material,
            "kind": kind,
            "item": item,
            "run": number,
            "sample_id": v.run.sample_id,
            "batch": v.run.batch,
            "acquired_at": v.run.acquired_at,
            "value": table_number(v.value),
            "centre": table_number(limits.centre),
            "sd": table_number(limits.sd),
            "limits": "provisional" if limits.is_provisional else "20 runs",
            "z": table_number(distance),
            "rules": ";".join(rules),
        }
        for number, (v, distance, rules) in enumerate(zip(values, z, broken_rules(z), strict=True), start=1)
    ]


def _tolerated(kind: Kind, values: Sequence[_Value]) -> float:
    """Provisional standard deviation: what small programmes accept, together with counting or placing error."""
    centre = median(v.value for v in values)
    own = median(v.sd for v in values)
    if kind != "threshold" or _is_proportional(values):
        return math.hypot(TOLERATED_SHARE * centre, own)
    return math.hypot(TOLERATED_DISPLAY, own)


def _is_proportional(values: Sequence[_Value]) -> bool:
    """Whether the display scale is the signal times a constant, as for scatter."""
    ratios = [v.linear / v.value for v in values if v.value]
    return bool(ratios) and max(ratios) - min(ratios) <= 1e-6 * abs(ratios[0])
