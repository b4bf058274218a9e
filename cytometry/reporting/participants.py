"""Participants as every figure draws them: one style each, and a word where one did not respond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cytometry.plotting.palette import SubjectStyle, subject_styles
from cytometry.reporting import results
from cytometry.reporting.inputs import ReportInputs


@dataclass(frozen=True, slots=True)
class Participants:
    """Styles by participant; notes only for those who did not respond."""

    styles: Mapping[str, SubjectStyle]
    notes: Mapping[str, str]


def participants(inputs: ReportInputs) -> Participants:
    """In the order of ``samples.csv``, which gives the same colour to a participant in every figure."""
    subjects: list[str] = list(inputs.study.subject_ids) if inputs.study is not None else []
    changes = inputs.tables.get("changes")
    if changes is not None:
        subjects += [s for s in dict.fromkeys(changes["subject_id"]) if s not in subjects]
    return Participants(subject_styles(subjects), _notes(inputs))


def _notes(inputs: ReportInputs) -> dict[str, str]:
    sri = inputs.tables.get("sri")
    if sri is None or sri.empty or inputs.study is None:
        return {}
    visit = results.response_visit(inputs.study)
    own = sri[sri["primary"].astype(bool) & (sri["visit"] == visit)]
    return {str(s): "NR" for s, ok in zip(own["subject_id"], own["responder"], strict=True) if _is_no(ok)}


def _is_no(value: object) -> bool:
    """Whether a cell says no; undefined is neither yes nor no."""
    return str(value) in {"False", "0", "0.0"}


def outcome_name(inputs: ReportInputs) -> str:
    """The outcome as people write it."""
    if inputs.study is None:
        return "outcome"
    outcome = inputs.study.plan.outcome
    return inputs.study.facts.sledai_version if outcome == "sledai" else outcome.replace("_", " ")
