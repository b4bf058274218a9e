"""Sentences on what was done, each from a setting of this run; nothing is said that did not happen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from cytometry.model.plan import AnalysisPlan
from cytometry.reporting import results
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.population_names import population_name
from cytometry.reporting.quality_words import quality_sentences
from cytometry.statistics.permutations import ORDERED_UP_TO
from cytometry.statistics.sign_flip import ENUMERATED_UP_TO

if TYPE_CHECKING:
    from cytometry.model.panel import Panel
    from cytometry.model.study import Study

_SCALES: Mapping[str, str] = MappingProxyType(
    {
        "logit_parent": "the log odds of the share of the parent",
        "log2_per_ul": "log2 of cells per µL",
        "percent": "percentage points",
    }
)
_SIDES: Mapping[str, str] = MappingProxyType(
    {"two": "two-sided", "less": "one-sided (fall)", "greater": "one-sided (rise)"}
)


def methods_paragraphs(inputs: ReportInputs) -> tuple[tuple[str, str], ...]:
    """Title and text of each paragraph; also written to ``methods.md``."""
    parts = [("Cytometry", _cytometry(inputs)), ("Quality", quality_sentences(inputs))]
    parts += [(f"Gating, panel {key}", _gating(panel, inputs)) for key, panel in inputs.panels.items()]
    if inputs.study is not None and "comparison" in inputs.tables:
        parts += [
            ("Change", _change(inputs.study.plan)),
            ("Tests", _tests(inputs.study.plan, results.visit_titles(inputs))),
            ("Association", _association(inputs.study)),
            ("Response", _response(inputs)),
        ]
    parts.append(("Software", _software(inputs)))
    return tuple((title, text) for title, text in parts if text)


def _cytometry(inputs: ReportInputs) -> str:
    study = inputs.study
    compensation = (
        "the matrix in each file" if study is None or study.compensation == "from_file" else study.compensation
    )
    text = f"FCS list-mode files were read and compensated with {compensation}."
    if study is not None and study.compensation == "none":
        text = "FCS list-mode files were read and not compensated."
    if study is None:
        return text + " Each file was gated for itself."
    tubes = [s for s in study.samples if s.role == "sample"]
    controls = [s for s in study.samples if s.role == "control"]
    fmos = [s for s in study.samples if s.role.startswith("fmo:")]
    batches = {s.batch for s in study.samples if s.batch}
    return (
        f"{text} {len(tubes)} tubes of {len(study.subject_ids)} participants at {len(study.visits)} visits "
        f"({', '.join(v.title for v in study.visits)}) in {len(batches)} batches, with {len(controls)} bridging "
        f"controls and {len(fmos)} FMO tubes, matched by batch."
    )


def _gating(panel: Panel, inputs: ReportInputs) -> str:
    template = panel.template
    digest = f"panel {panel.name} (version {panel.version}, SHA-256 {panel.digest[:12]})"
    if template is None:
        return f"Gates were drawn beforehand and applied unchanged: {digest}."
    scopes: dict[str, list[str]] = {}
    for name, cut in template.cuts.items():
        scopes.setdefault(cut.scope, []).append(name)
    placed = "; ".join(f"per {scope}: {', '.join(names)}" for scope, names in scopes.items())
    sources = ""
    thresholds = inputs.tables.get("thresholds")
    if thresholds is not None and inputs.study is not None:
        keys = [k for k, p in inputs.panels.items() if p is panel]
        counts = thresholds[thresholds["panel"].isin([*keys, panel.name])]["source"].value_counts().sort_index()
        if len(counts):
            sources = f" Boundaries came from {', '.join(f'{s} ({n})' for s, n in counts.items())}."
    scales = ", ".join(f"{k} ({type(s).__name__.removesuffix('Scale').lower()})" for k, s in panel.scales.items())
    limits = panel.minimum_events
    return (
        f"Gates were placed by the data-driven template {digest}, blind to visit, arm and response; thresholds "
        f"{placed}, never pooled across batches without a correction.{sources} Display scales: {scales}. A share of "
        f"fewer than {limits.parent_undefined_below} parent events is undefined, of fewer than "
        f"{limits.parent_flagged_below} flagged."
    )


def _change(plan: AnalysisPlan) -> str:
    rules = plan.rules
    overrides = [
        text
        for on, text in (
            (rules.both_zero_is_no_change, "two zero counts are no change"),
            (rules.sign_artefact_is_no_change, "a change whose sign comes only from the added half is no change"),
        )
        if on
    ]
    on: dict[str, list[str]] = {}
    for population, scale in plan.scales.items():
        if scale != plan.panel_scale:
            on.setdefault(scale, []).append(population_name(population))
    exceptions = "".join(f"; for {', '.join(names)} of {_scale(scale)}" for scale, names in on.items())
    return (
        f"The change of a population is the difference between a visit and baseline of {_scale(plan.panel_scale)}"
        f"{exceptions}, with ½ added to every count"
        + (f"; {' and '.join(overrides)}" if overrides else "")
        + f". Parents below {rules.min_parent} events give no change. Missing visits are not imputed."
    )


def _tests(plan: AnalysisPlan, titles: Mapping[str, str]) -> str:
    listed = "; ".join(
        f"{population_name(r.population)} ({_scale(r.scale)}, {titles.get(r.visit, r.visit)})"
        for r in plan.confirmatory
    )
    first = f"Confirmatory, in this order, each at {plan.alpha:g}, ending at the first failure: {listed}. "
    adjust = (
        "The panel's populations were adjusted together at each visit by step-down maxT over joint sign flips. "
        if plan.panel_adjust == "maxt"
        else "The panel was not adjusted for multiplicity. "
    )
    return (
        f"{first if listed else ''}Changes were compared with no change by the exact {_SIDES[plan.sided]} sign-flip "
        f"test of the studentised mean (all sign patterns up to {ENUMERATED_UP_TO} participants, {plan.draws} draws "
        f"above, seed {plan.seed}), with the exact Wilcoxon signed-rank test (Pratt zeros) beside it. {adjust}"
        "Estimates are Hodges–Lehmann medians of Walsh averages with exact intervals whose attained level is printed. "
        "The smallest p that n allows stands beside each p."
    )


def _association(study: Study) -> str:
    outcome = study.facts.sledai_version if study.plan.outcome == "sledai" else study.plan.outcome
    return (
        f"Changes were compared with the change of {outcome} at the same visit by Spearman's ρ, exact over "
        f"all orders for up to {ORDERED_UP_TO} participants, with Bonett and Wright's approximate interval and "
        "step-down maxT over the panel."
    )


def _response(inputs: ReportInputs) -> str:
    study = inputs.study
    if study is None or "sri" not in inputs.tables:
        return ""
    visit = results.response_visit(study)
    title = results.visit_titles(inputs).get(visit, visit)
    return (
        f"Response was judged at {title} by the rule set {study.plan.response.rule} on {study.facts.sledai_version}; "
        "withdrawal is failure; the rate has its Clopper–Pearson 95 % interval."
    )


def _software(inputs: ReportInputs) -> str:
    versions = inputs.run.versions
    own = versions.get("cytometry", "")
    others = ", ".join(f"{k} {v}" for k, v in sorted(versions.items()) if k != "cytometry")
    return f"cytometry {own}" + (f" with {others}" if others else "") + "."


def _scale(scale: str) -> str:
    if scale.startswith("logit_of:"):
        return f"the log odds of the share of {population_name(scale.removeprefix('logit_of:'))}"
    return _SCALES.get(scale, scale)
