"""Every table's columns: name, type, unit, meaning. Column names come from nowhere else.

One schema serves the writer, the reader, ``datapackage.json`` and ``cytometry schema``.
An empty cell is a missing or undefined value in every table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

ColumnType = Literal["string", "integer", "number", "boolean", "date", "datetime"]
Cell = str | int | float | bool | None
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, type, meaning, unit
        ``unit`` is ``""`` where the meaning says it all.
    required
        The column has to be there and no cell of it may be empty.
    minimum, maximum
        Inclusive limits of a number.
    allowed
        Closed list of values; empty for any.
    pattern
        Regular expression that the whole text must match.
    """

    name: str
    type: ColumnType
    meaning: str
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table: its name, what one row is, its key and its columns in order."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(c.name for c in self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


_SAMPLE = Column("sample_id", "string", "sample, unique in the run", required=True)
_PANEL = Column("panel", "string", "panel or strategy that gated the sample")
_POPULATION = Column("population", "string", "name of the population; root is all events", required=True)
_PATH = Column("path", "string", "names from the root, joined by /; the key of a population", required=True)
_FLAGS = Column("flags", "string", "codes joined by ;, empty if none")
_SUBJECT = Column("subject_id", "string", "participant")
_VISIT = Column("visit", "string", "visit as study.yaml names it")
_BATCH = Column("batch", "string", "what was stained and acquired together")
_ROLE = Column("role", "string", "sample, control, fmo:<marker>, unstained, single_stain:<marker>, beads")

COUNTS = TableSchema(
    "counts",
    "one sample and population, root included, in input and tree order",
    ("sample_id", "path"),
    (
        _SAMPLE,
        Column("fcs_file", "string", "file as the input gives it", required=True),
        Column("fcs_sha256", "string", "SHA-256 of the file's bytes", required=True),
        _PANEL,
        _POPULATION,
        _PATH,
        Column("parent_path", "string", "path of the parent, empty for root"),
        Column("count", "integer", "events in the population; empty where it is undefined", "events", minimum=0),
        Column("parent_count", "integer", "events in the parent; empty for root or where undefined", "events"),
        Column("total_events", "integer", "events in the file", "events", required=True),
        _FLAGS,
    ),
)

FREQUENCIES = TableSchema(
    "frequencies",
    "one sample, population and denominator",
    ("sample_id", "path", "denominator"),
    (
        _SAMPLE,
        _PANEL,
        _SUBJECT,
        _VISIT,
        _BATCH,
        _ROLE,
        _POPULATION,
        _PATH,
        Column("denominator", "string", "parent, or the population that is the whole", required=True),
        Column("count", "integer", "events in the population", "events"),
        Column("denominator_count", "integer", "events in the denominator", "events"),
        Column("fraction", "number", "count / denominator_count; undefined where the denominator is too small", "1"),
        Column("fraction_low", "number", "lower Clopper-Pearson limit, 95 %", "1"),
        Column("fraction_high", "number", "upper Clopper-Pearson limit, 95 %", "1"),
        Column(
            "cells_per_ul",
            "number",
            "lymphocytes per µL × share of gated lymphocytes (dual platform); same in every row of a population",
            "1/µL",
        ),
        Column("cells_per_ul_low", "number", "lower limit from counting alone, 95 %", "1/µL"),
        Column("cells_per_ul_high", "number", "upper limit from counting alone, 95 %", "1/µL"),
        _FLAGS,
    ),
)

INTENSITIES = TableSchema(
    "intensities",
    "one sample, population and channel",
    ("sample_id", "path", "channel"),
    (
        _SAMPLE,
        _PANEL,
        _POPULATION,
        _PATH,
        Column("channel", "string", "$PnN", required=True),
        Column("marker", "string", "marker of the panel"),
        Column("n_events", "integer", "events that the median is over", "events"),
        Column("median", "number", "median on the linear, compensated scale", "linear signal"),
        _FLAGS,
    ),
)

THRESHOLDS = TableSchema(
    "thresholds",
    "one sample and placed cut",
    ("sample_id", "cut", "dimension"),
    (
        _SAMPLE,
        _PANEL,
        Column("cut", "string", "name of the cut or population that the method placed", required=True),
        Column("dimension", "string", "marker or channel", required=True),
        Column("method", "string", "gating method"),
        Column("source", "string", "data, fmo, control, fallback or override"),
        Column("value_display", "number", "position on the display scale", "display"),
        Column("value_linear", "number", "position on the linear compensated scale", "linear signal"),
        Column("uncertainty_sd", "number", "standard deviation of the position on the display scale", "display"),
        Column("confidence", "number", "0 to 1, as the method defines it", "1"),
        Column("scope", "string", "sample, subject, batch or study, as it was used"),
        Column(
            "robust_z",
            "number",
            "distance from the median of the panel's tubes / (1.4826 × MAD); empty for fewer than 5, without a study",
            "1",
        ),
        Column(
            "subject_z",
            "number",
            "distance from the median of the subject's other visits, on the same footing over all subjects",
            "1",
        ),
        _FLAGS,
    ),
)

SAMPLES = TableSchema(
    "samples",
    "one input file",
    ("sample_id",),
    (
        _SAMPLE,
        Column("fcs_file", "string", "file as the input gives it", required=True),
        Column("fcs_sha256", "string", "SHA-256 of the file's bytes; empty if it could not be read"),
        _PANEL,
        _SUBJECT,
        _VISIT,
        _BATCH,
        _ROLE,
        Column("total_events", "integer", "events in the file", "events"),
        Column("status", "string", "done, failed or skipped", allowed=("done", "failed", "skipped")),
        Column("code", "string", "why it failed or was skipped, as a code"),
        Column("reason", "string", "why it failed or was skipped, in words"),
    ),
)

FINDINGS = TableSchema(
    "findings",
    "one finding on an input",
    (),
    (
        Column("sample_id", "string", "sample, empty if the finding is about a table"),
        Column("file", "string", "file as the input gives it"),
        Column("code", "string", "stable code, see docs/findings.md", required=True),
        Column("severity", "string", "info, warning or error", allowed=("info", "warning", "error")),
        Column("segment", "string", "part of the file, or row of the table"),
        Column("keyword", "string", "FCS keyword, column, population or marker"),
        Column("message", "string", "one sentence"),
        Column("found", "string", "value found"),
        Column("expected", "string", "what would be right"),
        Column("fix", "string", "what to do"),
    ),
)

GATE_DRAWS = TableSchema(
    "gate_draws",
    "one sample and population, counted again under other plausible gates",
    ("sample_id", "path"),
    (
        _SAMPLE,
        _PANEL,
        _POPULATION,
        _PATH,
        Column("draws", "integer", "sets of gates that were drawn around the placed ones", minimum=0),
        Column("gating_sd", "number", "standard deviation over the draws of the log odds in the parent", "log odds"),
        Column("gating_low", "number", "lower limit of the fraction of the parent from gating alone, 95 %", "1"),
        Column("gating_high", "number", "upper limit of the fraction of the parent from gating alone, 95 %", "1"),
        Column("drawn_counts", "string", "events in the population under each draw, joined by ;"),
        Column("drawn_parent_counts", "string", "events in the parent under each draw, joined by ;"),
    ),
)

QUALITY = TableSchema(
    "qc",
    "one gated sample: how its acquisition went",
    ("sample_id",),
    (
        _SAMPLE,
        _PANEL,
        Column("total_events", "integer", "events in the file", "events", minimum=0),
        Column("acquired_at", "string", "$DATE and $BTIM of the file as ISO 8601; empty where it has no such date"),
        Column("events_per_s", "number", "median rate of acquisition", "events/s"),
        Column("rate_spread", "number", "robust coefficient of variation of the rate beyond counting", "1"),
        Column(
            "time_excluded_fraction",
            "number",
            "events left out for an unsteady flow or signal; 0 where the study only reports them",
            "1",
        ),
        Column("rate_unsteady_fraction", "number", "events in stretches that arrived much faster or slower", "1"),
        Column("signal_unsteady_fraction", "number", "events in stretches whose signal is unlike the run around", "1"),
        Column("drift", "number", "largest shift of a twentieth of the run, in spreads of its channel", "1"),
        Column("drift_channel", "string", "channel with that shift"),
        Column("margin_fraction", "number", "events at the top of the range of any channel", "1"),
        Column("negative_scatter_fraction", "number", "events with a scatter area of zero or less", "1"),
        Column("singlet_fraction", "number", "singlets of the events before", "1"),
        Column("viability", "number", "live of the singlets", "1"),
        Column(
            "second_opinion",
            "string",
            "whether FlowIO and fcsparser read the same events, names and values; none: neither could read the file",
            allowed=("agree", "differ", "none", "not asked"),
        ),
    ),
)

CONTROL_CHART = TableSchema(
    "control_chart",
    "one tube of control material and charted quantity (Levey-Jennings)",
    ("panel", "material", "kind", "item", "run"),
    (
        _PANEL,
        Column("material", "string", "subject_id of the control's rows: what was stained again in every batch"),
        Column(
            "kind",
            "string",
            "population: share of its parent; threshold: boundary, display scale; intensity: median, linear scale",
            allowed=("population", "threshold", "intensity"),
        ),
        Column("item", "string", "what is charted", required=True),
        Column("run", "integer", "number of the run in order of acquisition", minimum=1),
        _SAMPLE,
        _BATCH,
        Column("acquired_at", "string", "from samples.csv, else from the file; ISO 8601"),
        Column("value", "number", "of this run", "as the kind says"),
        Column("centre", "number", "mean of the first 20 runs; with fewer, the median of those that are there"),
        Column(
            "sd", "number", "of the first 20 runs; with fewer, what is tolerated: 10 % and counting or placing error"
        ),
        Column("limits", "string", "what centre and sd rest on", allowed=("provisional", "20 runs")),
        Column("z", "number", "(value - centre) / sd", "1"),
        Column("rules", "string", "Westgard rules that the run breaks, joined by ;: 1-2s warns, the others reject"),
    ),
)

_PAIR = (
    Column("matrix", "string", "12 digits of SHA-256 over the matrix that was used: equal for equal matrices"),
    Column("source", "string", "$PnN of the dye", required=True),
    Column("target", "string", "$PnN of the detector into which it spills", required=True),
    Column("source_marker", "string", "$PnS of the dye's own detector"),
    Column("target_marker", "string", "$PnS of the other detector"),
    Column("coefficient", "number", "as the matrix has it", "1"),
    Column("error", "number", "true minus stored coefficient; positive is under-compensated", "1"),
    Column("standard_error", "number", "of the error", "1"),
    Column("doubt", "number", "error that cells could mimic which are dim rather than negative in the target", "1"),
)

COMPENSATION_TUBE = TableSchema(
    "qc_compensation_tube",
    "one sample and pair of dye and detector that its cells say something about (in parts/)",
    ("sample_id", "source", "target"),
    (_SAMPLE, _PANEL, *_PAIR),
)

COMPENSATION = TableSchema(
    "qc_compensation",
    "one panel, matrix and pair of dye and detector: the median over the tubes that were compensated with it",
    ("panel", "matrix", "source", "target"),
    (
        _PANEL,
        *_PAIR,
        Column("limit", "number", "error beyond which the pair is called wrong", "1"),
        Column("tubes", "integer", "tubes whose cells say something about the pair", "tubes", minimum=1),
        Column(
            "verdict",
            "string",
            "under- or over-compensated, within the limit, or too uncertain to say",
            allowed=("ok", "under", "over", "cannot tell"),
        ),
    ),
)

SETTINGS = TableSchema(
    "settings",
    "one sample and setting of its detectors (in parts/)",
    ("sample_id", "kind", "item"),
    (
        _SAMPLE,
        Column("kind", "string", "voltage ($PnV) or spillover coefficient", allowed=("voltage", "spillover")),
        Column("item", "string", "$PnN of the detector; dye into detector for a coefficient", required=True),
        Column("value", "number", "as the file has it", "V; 1"),
    ),
)

RESULT_TABLES: Mapping[str, TableSchema] = MappingProxyType(
    {
        t.name: t
        for t in (
            COUNTS,
            FREQUENCIES,
            INTENSITIES,
            THRESHOLDS,
            GATE_DRAWS,
            QUALITY,
            COMPENSATION,
            COMPENSATION_TUBE,
            CONTROL_CHART,
            SETTINGS,
            SAMPLES,
            FINDINGS,
        )
    }
)
