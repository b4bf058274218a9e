"""The MIFlowCyt checklist (Lee et al. 2008): what the run knows, what the study says, what a person still owes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.quality_words import quality_sentences

Origin = Literal["data", "study.yaml", "outstanding"]


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One item of the checklist, filled or not.

    Parameters
    ----------
    number, title
        As in the standard.
    key
        What ``miflowcyt:`` in ``study.yaml`` calls it.
    text
        What is known; empty if outstanding.
    origin
        Where the text comes from.
    """

    number: str
    title: str
    key: str
    text: str
    origin: Origin


ITEMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "1.1": ("Purpose", "purpose"),
        "1.2": ("Keywords", "keywords"),
        "1.3": ("Experiment variables", "variables"),
        "1.4": ("Organisation", "organisation"),
        "1.5": ("Primary contact", "contact"),
        "1.6": ("Date", "date"),
        "1.7": ("Conclusions", "conclusions"),
        "1.8": ("Quality control measures", "quality_control"),
        "2.1": ("Material description", "material"),
        "2.2": ("Sample characteristics", "sample_characteristics"),
        "2.3": ("Sample treatment", "treatment"),
        "2.4": ("Fluorescence reagents", "reagents"),
        "3.1": ("Instrument manufacturer", "instrument_manufacturer"),
        "3.2": ("Instrument model", "instrument_model"),
        "3.3": ("Instrument configuration and settings", "instrument_settings"),
        "4.1": ("List-mode data files", "data_files"),
        "4.2": ("Compensation", "compensation"),
        "4.3": ("Data transformation", "transformation"),
        "4.4": ("Gating", "gating"),
    }
)


def checklist(inputs: ReportInputs) -> tuple[ChecklistItem, ...]:
    """Every item. What the study says wins over what the data say."""
    stated = dict(inputs.study.miflowcyt) if inputs.study is not None else {}
    if inputs.study is not None:
        stated.setdefault("purpose", inputs.study.facts.purpose)
        stated.setdefault("contact", inputs.study.facts.contact)
    items = []
    for number, (title, key) in ITEMS.items():
        said = stated.get(key, "").strip()
        known = _KNOWN[key](inputs) if key in _KNOWN else ""
        origin: Origin = "study.yaml" if said else "data" if known else "outstanding"
        items.append(ChecklistItem(number, title, key, said or known, origin))
    return tuple(items)


def _variables(inputs: ReportInputs) -> str:
    study = inputs.study
    if study is None:
        return ""
    visits = ", ".join(v.title for v in study.visits)
    return f"participant ({len(study.subject_ids)}) × visit ({visits}) × panel ({', '.join(study.panels)})"


def _date(inputs: ReportInputs) -> str:
    days = sorted(s.acquired_at[:10] for s in inputs.study.samples if s.acquired_at) if inputs.study is not None else []
    return "" if not days else f"acquired {days[0]}" if days[0] == days[-1] else f"acquired {days[0]} to {days[-1]}"


def _instrument(inputs: ReportInputs) -> str:
    names = {s.instrument for s in inputs.study.samples if s.instrument} if inputs.study is not None else set()
    return ", ".join(sorted(names))


def _quality(inputs: ReportInputs) -> str:
    findings = inputs.tables.get("findings")
    if findings is None:
        return ""
    told = f"{len(findings)} findings, listed under Quality and exceptions"
    return ". ".join(part for part in (told, quality_sentences(inputs)) if part)


def _materials(inputs: ReportInputs) -> str:
    kinds = {s.specimen for s in inputs.study.samples if s.specimen} if inputs.study is not None else set()
    return ", ".join(sorted(k.replace("_", " ") for k in kinds))


def _files(inputs: ReportInputs) -> str:
    n = sum(1 for f in inputs.run.inputs if f.name.lower().endswith((".fcs", ".lmd")))
    return f"{n} files, identified by SHA-256 under Provenance" if n else ""


def _compensation(inputs: ReportInputs) -> str:
    study = inputs.study
    if study is None:
        return ""
    if study.compensation == "from_file":
        return "matrix in each file ($SPILLOVER or $SPILL)"
    return "none" if study.compensation == "none" else f"matrix from {study.compensation}"


def _transformation(inputs: ReportInputs) -> str:
    parts = []
    for key, panel in inputs.panels.items():
        scales = "; ".join(f"{name}: {scale.model_dump()}" for name, scale in panel.scales.items())
        if scales:
            parts.append(f"{key} — {scales}")
    return _plain(" | ".join(parts))


def _gating(inputs: ReportInputs) -> str:
    if not inputs.previews:
        return ""
    shown = "every gate of every sample is pictured with its boundary, its source and the share inside"
    return f"{shown}; gates/*.gml.xml hold them as GatingML 2.0"


def _plain(text: str) -> str:
    return text.translate(str.maketrans("", "", "{}'"))


_KNOWN: Mapping[str, Callable[[ReportInputs], str]] = MappingProxyType(
    {
        "variables": _variables,
        "date": _date,
        "instrument_model": _instrument,
        "quality_control": _quality,
        "material": _materials,
        "data_files": _files,
        "compensation": _compensation,
        "transformation": _transformation,
        "gating": _gating,
    }
)
