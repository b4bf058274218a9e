"""The results in sentences that a clinician understands and a statistician accepts.

No sentence calls anything significant whose smallest possible p is above the
plan's alpha, nor a correlation a cause.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

from cytometry.model.findings import Finding
from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.association import Association
from cytometry.statistics.attainable import paired_floor, subjects_needed
from cytometry.statistics.blocks import ABUNDANCE
from cytometry.statistics.comparison import CONFIRMATORY, EXPLORATORY, Comparison
from cytometry.statistics.courses import CourseCorrelation
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.individuals import IndividualChange
from cytometry.statistics.response import ResponseRate
from cytometry.statistics.rows import typed_rows

if TYPE_CHECKING:
    import pandas as pd

SentenceKind = Literal["response", "confirmatory", "panel", "limits", "association", "individuals", "caution"]

NAMED_AT_MOST = 6
"""More populations than this in one sentence are counted instead of listed."""

CALLED = ("gained", "lost")
SMALL_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement and the part of the answer that it belongs to."""

    kind: SentenceKind
    text: str


@dataclass(frozen=True)
class Told:
    """What the sentences are made from.

    Parameters
    ----------
    individuals
        Only the changes that were called.
    names
        Population to the name that readers know; a missing one is spelled from its id.
    """

    comparison: tuple[Comparison, ...]
    correlation: tuple[Association, ...]
    courses: tuple[CourseCorrelation, ...]
    individuals: tuple[IndividualChange, ...]
    rates: tuple[ResponseRate, ...]
    design: TrialDesign
    plan: AnalysisPlan
    names: Mapping[str, str]

    def name(self, population: str) -> str:
        """What a reader calls a population."""
        return self.names.get(population) or population.replace("_", " ")


def sentences(
    *,
    comparison: pd.DataFrame,
    correlation: pd.DataFrame,
    courses: pd.DataFrame,
    individuals: pd.DataFrame,
    rates: pd.DataFrame,
    sri: pd.DataFrame,
    findings: Sequence[Finding],
    closure: Sequence[str],
    design: TrialDesign,
    plan: AnalysisPlan,
    names: Mapping[str, str] | None = None,
) -> tuple[Sentence, ...]:
    """All sentences, in the order in which a reader wants them."""
    told = Told(
        comparison=typed_rows(comparison, Comparison),
        correlation=typed_rows(correlation, Association),
        courses=typed_rows(courses, CourseCorrelation),
        individuals=typed_rows(individuals[individuals["call"].isin(CALLED)], IndividualChange),
        rates=typed_rows(rates, ResponseRate),
        design=design,
        plan=plan,
        names=names or {},
    )
    return (
        *response_sentences(told, sri),
        *confirmatory_sentences(told),
        *panel_sentences(told),
        *limit_sentences(told),
        *association_sentences(told),
        *course_sentences(told),
        *individual_sentences(told),
        *caution_sentences(told, findings, closure),
    )


def response_sentences(told: Told, sri: pd.DataFrame) -> list[Sentence]:
    """How many responded, and why the others did not."""
    visit = told.plan.response.visit or told.design.outcome_visit
    rate = next((r for r in told.rates if r.rule == told.plan.response.rule and r.visit == visit), None)
    if rate is None or rate.responders is None or math.isnan(rate.fraction):
        return []
    text = (
        f"{number_word(int(rate.responders)).capitalize()} of {number_word(rate.treated)} participants met the "
        f"response index at {told.design.title(visit)} ({100 * rate.fraction:.0f} %, exact 95 % interval "
        f"{100 * rate.low:.0f} to {100 * rate.high:.0f} %)."
    )
    own = sri[(sri["rule"] == rate.rule) & (sri["visit"] == visit)]
    failed = own[own["responder"].eq(False) & (own["reason"] != "")]
    if 0 < len(failed) <= NAMED_AT_MOST:
        reasons = "; ".join(f"{s}: {r}" for s, r in zip(failed["subject_id"], failed["reason"], strict=True))
        text += f" First reason of failure: {reasons}."
    return [Sentence("response", text)]


def confirmatory_sentences(told: Told) -> list[Sentence]:
    """Each readout of the fixed sequence, in order."""
    rows = sorted((r for r in told.comparison if r.role == CONFIRMATORY), key=lambda r: int(r.plan_order or 0))
    return [Sentence("confirmatory", _confirmatory_text(told, row)) for row in rows]


def _confirmatory_text(told: Told, row: Comparison) -> str:
    what = movement(told, row)
    if row.claim == "significant":
        return f"Confirmed as planned: {what}; {p_text(row.p, row)}."
    if row.claim == "not significant":
        return f"Not confirmed: {what}; {p_text(row.p, row)}. The planned sequence ends here."
    if row.claim == "cannot be significant":
        return (
            f"Could not be confirmed with {number_word(row.n)} participants, whatever the data: the smallest "
            f"possible p is {row.p_floor:.3g}. Observed: {what}."
        )
    if row.claim == "not tested in sequence":
        return f"Not tested, because an earlier readout of the sequence failed; observed: {what}."
    return f"Not tested: {what}."


def panel_sentences(told: Told) -> list[Sentence]:
    """At each visit: which populations changed after adjustment over the panel, and how many could not be told."""
    result = []
    for visit in told.design.follow_up:
        rows = [r for r in told.comparison if r.visit == visit and not math.isnan(r.p_maxt)]
        testable = [r for r in rows if r.can_be_significant]
        if not testable:
            continue
        changed = [r for r in testable if r.p_maxt <= told.plan.alpha and r.claim != "not tested"]
        title, family = told.design.title(visit), len(rows)
        if not changed:
            result.append(
                Sentence(
                    "panel",
                    f"At {title} none of the {family} populations of the panel changed beyond what chance can give, "
                    f"after allowing for their number (smallest adjusted p {min(r.p_maxt for r in testable):.3g}).",
                )
            )
            continue
        listed = "; ".join(
            f"{movement(told, r, with_visit=False)}, adjusted p {p_number(r.p_maxt)}" for r in changed[:NAMED_AT_MOST]
        )
        more = f"; and {len(changed) - NAMED_AT_MOST} more" if len(changed) > NAMED_AT_MOST else ""
        result.append(
            Sentence(
                "panel",
                f"At {title}, after allowing for all {family} populations of the panel, these changed: {listed}{more}. "
                f"The other {family - len(changed)} are not beyond chance after this adjustment.",
            )
        )
    return result


def limit_sentences(told: Told) -> list[Sentence]:
    """Visits where no change can be significant, with what was seen there."""
    result = []
    for visit in told.design.follow_up:
        rows = [r for r in told.comparison if r.visit == visit and r.role != EXPLORATORY and r.n > 0]
        if not rows or any(r.can_be_significant for r in rows):
            continue
        n = max(r.n for r in rows)
        floor = paired_floor(n)
        same_way = [r for r in rows if r.n == n and max(r.n_fell, r.n_rose) == n and n > 1]
        seen = "; ".join(movement(told, r, with_visit=False) for r in same_way[:NAMED_AT_MOST])
        more = f"; and {len(same_way) - NAMED_AT_MOST} more" if len(same_way) > NAMED_AT_MOST else ""
        observed = f" All {number_word(n)} moved one way in: {seen}{more}." if same_way else ""
        result.append(
            Sentence(
                "limits",
                f"At {told.design.title(visit)} {number_word(n)} participants remain. Even if all of them move the "
                f"same way the smallest possible two-sided p is {floor:.3g}, so no change can be called significant "
                f"there; "
                f"{number_word(subjects_needed(1, told.plan.alpha))} would be needed. Sizes and intervals still "
                f"hold.{observed}",
            )
        )
    return result


def association_sentences(told: Told) -> list[Sentence]:
    """Which changes go with the outcome's change, participant by participant."""
    result = []
    outcome = outcome_name(told.plan.outcome)
    for visit in told.design.follow_up:
        rows = [r for r in told.correlation if r.visit == visit and r.role == "panel" and not math.isnan(r.rho)]
        able = [r for r in rows if r.can_be_significant and not math.isnan(r.p_maxt)]
        if not able:
            continue
        with_it = [r for r in able if r.p_maxt <= told.plan.alpha]
        title = told.design.title(visit)
        if with_it:
            listed = "; ".join(
                f"{told.name(r.population)} ({correlation_text(r)}, adjusted p {p_number(r.p_maxt)})" for r in with_it
            )
            text = f"At {title} these changes go with the change of {outcome}: {listed}."
        else:
            best = min(able, key=lambda r: (r.p, -abs(r.rho)))
            text = (
                f"At {title} no change of a population can be said to go with the change of {outcome} once all "
                f"{len(able)} are allowed for. The strongest is {told.name(best.population)} "
                f"({correlation_text(best)}, "
                f"p {p_number(best.p)}, adjusted {p_number(best.p_maxt)})."
            )
        result.append(Sentence("association", text))
    if result:
        result.append(
            Sentence(
                "association",
                f"{outcome} contains laboratory items and drugs act on it as on the cells: an association is not an "
                "effect of the cells.",
            )
        )
    return result


def course_sentences(told: Told) -> list[Sentence]:
    """Over all visits, within participants: only beyond the course that all share, after adjustment."""
    rows = [r for r in told.courses if not math.isnan(r.p_swap_maxt)]
    if not rows:
        return []
    outcome = outcome_name(told.plan.outcome)
    tracking = [r for r in rows if r.tracks_outcome]
    if not tracking:
        best = min(rows, key=lambda r: r.p_swap)
        text = (
            f"Over all visits no population follows {outcome} within participants beyond the time course that all of "
            f"them share. The nearest is {told.name(best.population)} ({_course_text(best)})."
        )
    else:
        listed = "; ".join(f"{told.name(r.population)} ({_course_text(r)})" for r in tracking)
        text = (
            f"Over all visits these follow {outcome} within participants beyond the time course that all of them "
            f"share, after allowing for {len(rows)} populations: {listed}."
        )
    return [Sentence("association", text)]


def _course_text(row: CourseCorrelation) -> str:
    return (
        f"r = {row.r:+.2f}, allowing for visit {row.adjusted_r:+.2f}; exchanging whole courses p "
        f"{p_number(row.p_swap)}, adjusted {p_number(row.p_swap_maxt)}, n = {row.n_complete}"
    )


def individual_sentences(told: Told) -> list[Sentence]:
    """Participants whose own change was called, where the group as a whole could not be: by population, over visits."""
    shown = {(r.panel, r.path, r.scale, r.visit): r for r in told.comparison if r.role != EXPLORATORY}
    called: dict[tuple[str, str, str], dict[str, list[IndividualChange]]] = {}
    for row in told.individuals:
        group = shown.get((row.panel, row.path, row.scale, row.visit))
        if group is not None and group.claim != "significant":
            called.setdefault((row.panel, row.path, row.call), {}).setdefault(row.visit, []).append(row)
    result = []
    for (_, _, call), visits in called.items():
        rows = [r for own in visits.values() for r in own]
        parts = [_individual_part(told, own, shown) for own in visits.values()]
        text = f"{told.name(rows[0].population)} {call} by {'; '.join(parts)}"
        result.append(Sentence("individuals", f"{text}: beyond counting, gating and control variation."))
    return result


def _individual_part(
    told: Told, rows: Sequence[IndividualChange], shown: Mapping[tuple[str, str, str, str], Comparison]
) -> str:
    first = rows[0]
    of = shown[(first.panel, first.path, first.scale, first.visit)].n
    who = f" ({', '.join(r.subject_id for r in rows)})" if len(rows) <= NAMED_AT_MOST else ""
    return f"{number_word(len(rows))} of {number_word(of)} at {told.design.title(first.visit)}{who}"


def caution_sentences(told: Told, findings: Sequence[Finding], closure: Sequence[str]) -> list[Sentence]:
    """What a reader must know before believing the rest."""
    result = [Sentence("caution", f"{f.message[0].upper()}{f.message[1:]}.") for f in findings]
    result += [Sentence("caution", text) for text in closure]
    overridden = sum(r.n_overridden for r in told.comparison if r.role != EXPLORATORY)
    if overridden:
        result.append(
            Sentence(
                "caution",
                f"{overridden} changes were set to 0 because the ½ that is added to each count, not the cells, made "
                "them or gave them their sign.",
            )
        )
    if not set(told.design.arms.values()) - {""} or len(set(told.design.arms.values())) < 2:
        result.append(
            Sentence(
                "caution",
                "There is no control arm: regression to the mean after entry at high activity, and changes of other "
                "drugs, can give the same picture.",
            )
        )
    return result


def movement(told: Told, row: Comparison, *, with_visit: bool = True) -> str:
    """Who moved which way and by how much, with the interval."""
    name, at = told.name(row.population), f" at {told.design.title(row.visit)}" if with_visit else ""
    if row.n == 0 or math.isnan(row.estimate):
        return f"{name}{at} has no defined change"
    how_many = max(row.n_fell, row.n_rose)
    verb = "fell" if row.estimate < 0 else "rose" if row.estimate > 0 else "did not change"
    same = row.n_fell if row.estimate < 0 else row.n_rose if row.estimate > 0 else how_many
    level = f"{100 * row.ci_attained:.1f} % interval"
    if row.scale == ABUNDANCE:
        size = f"{row.effect:.2g}-fold cells per µL, {level} {row.effect_low:.2g} to {row.effect_high:.2g}"
    else:
        whole = "its parent" if row.denominator == "parent" else told.name(row.denominator)
        size = (
            f"{row.points:+.2g} percentage points of {whole}, {level} {row.points_low:+.2g} to {row.points_high:+.2g}"
        )
    return f"{name} {verb}{at} in {same} of {row.n} ({size})"


def correlation_text(row: Association) -> str:
    """rho with its interval and n; no interval where n is too small for one."""
    interval = "" if math.isnan(row.ci_low) else f", approximate interval {row.ci_low:+.2f} to {row.ci_high:+.2f}"
    return f"rho = {row.rho:+.2f}{interval}, n = {row.n}"


def p_text(p: float, row: Comparison) -> str:
    """A p-value with what it is out of and whether it could have been smaller."""
    known = row.p_count is not None and row.p_total is not None and not math.isnan(row.p_count)
    fraction = f" = {row.p_count:.0f}/{row.p_total:.0f}" if known else ""
    floor = f", the smallest that {number_word(row.n)} participants can give" if row.p_at_floor else ""
    return f"exact p{fraction} = {p_number(p)}{floor}" if fraction else f"p = {p_number(p)}{floor}"


def p_number(p: float) -> str:
    """Two digits, halves rounded up so that no p looks smaller than it is, and never 0.

    Examples
    --------
    >>> p_number(0.03125), p_number(0.0625), p_number(2e-9), p_number(1.0)
    ('0.031', '0.063', '2.0e-09', '1')
    """
    if p >= 0.995:
        return "1"
    if p < 1e-4:
        return f"{p:.1e}"
    exact = Decimal(repr(float(p)))
    return format(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), rounding=ROUND_HALF_UP).normalize(), "f")


def number_word(n: int) -> str:
    """Small numbers as words.

    Examples
    --------
    >>> number_word(6), number_word(11)
    ('six', '11')
    """
    return SMALL_NUMBERS[n] if 0 <= n < len(SMALL_NUMBERS) else str(n)


def outcome_name(outcome: str) -> str:
    """The outcome as readers write it.

    Examples
    --------
    >>> outcome_name("sledai")
    'SLEDAI'
    """
    return outcome.upper() if outcome in {"sledai", "pga"} else outcome.replace("_", " ")
