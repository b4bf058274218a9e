"""SRI-4: the responder index, as published and as trials vary it, with the first reason of a failure.

Furie 2009 and Luijten 2012: SLEDAI falls by at least 4, no new BILAG A and at
most one new B, PGA not worse by 0.3 or more. Published trials change the
comparison signs and add drug rules, so the rules are data.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from cytometry.clinical.bilag import new_a, new_b
from cytometry.clinical.pga import increase
from cytometry.clinical.prednisone import dose_when_due
from cytometry.clinical.visits import Course
from cytometry.model.clinical import BILAG_SYSTEMS

Reason = Literal[
    "",
    "withdrawn",
    "visit missing",
    "component missing",
    "SLEDAI fell too little",
    "new BILAG A",
    "new BILAG B",
    "PGA worse",
    "prednisone above limit",
    "new immunosuppressant",
]


@dataclass(frozen=True, slots=True)
class SriRules:
    """One variant of the index.

    Parameters
    ----------
    sledai_drop
        Least fall of the total.
    new_a_max, new_b_max
        Most systems newly at A or B that still pass.
    pga_limit, pga_limit_is_worse
        The rise of PGA that counts, and whether a rise of exactly that fails.
    prednisone_max, prednisone_week
        Highest dose (mg/day) from that week on; None: no such rule.
    immunosuppressant_week
        A new or raised immunosuppressant before that week fails; None: no such rule.
    missing
        What a missing visit or component is: ``failure`` as trials do, or ``unknown``.
    """

    name: str
    sledai_drop: float = 4
    new_a_max: int = 0
    new_b_max: int = 1
    pga_limit: Decimal = Decimal("0.3")
    pga_limit_is_worse: bool = True
    prednisone_max: float | None = None
    prednisone_week: float = 0
    immunosuppressant_week: float | None = None
    missing: Literal["failure", "unknown"] = "failure"


STANDARD = SriRules("SRI-4")
TRIAL = SriRules(
    "SRI-4, open-label MSC trial",
    pga_limit_is_worse=False,
    prednisone_max=10,
    prednisone_week=20,
    immunosuppressant_week=24,
)
"""No increase of PGA of *more than* 0.3; prednisone ≤ 10 mg/day by week 20; no new immunosuppressant before week 24."""

RULE_SETS = MappingProxyType({"sri4": STANDARD, "sri4_trial": TRIAL})


@dataclass(frozen=True, slots=True)
class SriResult:
    """Component results; None where a component cannot be judged.

    Parameters
    ----------
    responder
        The index; None only where the rules leave missing data unknown.
    sledai_change, pga_change
        Now less baseline.
    systems_new_a, systems_new_b
        BILAG systems behind a failure.
    reason
        The first failing component, in the order of the columns.
    """

    subject_id: str
    visit: str
    rules: str
    responder: bool | None
    sledai_change: float | None = None
    sledai_ok: bool | None = None
    systems_new_a: tuple[str, ...] = ()
    systems_new_b: tuple[str, ...] = ()
    bilag_ok: bool | None = None
    pga_change: float | None = None
    pga_ok: bool | None = None
    prednisone: float | None = None
    prednisone_ok: bool | None = None
    immunosuppressant_ok: bool | None = None
    reason: Reason = ""


def evaluate_sri(course: Course, visit: str, rules: SriRules = STANDARD) -> SriResult:
    """Judge one subject at one visit against the first planned visit.

    Withdrawal at or before the visit is a failure whatever the components say;
    so is a missing visit or component unless the rules leave it unknown.
    """
    baseline, now = course.at(course.planned[0]), course.at(visit)
    unknown = None if rules.missing == "unknown" else False
    if any(v.withdrawn for v in course.until(visit)):
        return SriResult(course.subject_id, visit, rules.name, False, reason="withdrawn")
    if baseline is None or now is None:
        return SriResult(course.subject_id, visit, rules.name, unknown, reason="visit missing")
    change = None if baseline.sledai is None or now.sledai is None else now.sledai - baseline.sledai
    graded = all(s in baseline.bilag and s in now.bilag for s in BILAG_SYSTEMS)
    fresh_a, fresh_b = new_a(baseline.bilag, now.bilag), new_b(baseline.bilag, now.bilag)
    rise = None if baseline.pga is None or now.pga is None else increase(baseline.pga, now.pga)
    dose, dose_ok = _prednisone(course, visit, rules)
    components: tuple[tuple[Reason, bool | None], ...] = (
        ("SLEDAI fell too little", None if change is None else change <= -rules.sledai_drop),
        ("new BILAG A", len(fresh_a) <= rules.new_a_max if graded else None),
        ("new BILAG B", len(fresh_b) <= rules.new_b_max if graded else None),
        ("PGA worse", None if rise is None else not _is_worse(rise, rules)),
        ("prednisone above limit", dose_ok),
        ("new immunosuppressant", _immunosuppressant_ok(course, visit, rules)),
    )
    ok = dict(components)
    return SriResult(
        subject_id=course.subject_id,
        visit=visit,
        rules=rules.name,
        responder=_verdict(components, unknown),
        sledai_change=change,
        sledai_ok=ok["SLEDAI fell too little"],
        systems_new_a=fresh_a,
        systems_new_b=fresh_b,
        bilag_ok=None if not graded else bool(ok["new BILAG A"] and ok["new BILAG B"]),
        pga_change=None if rise is None else float(rise),
        pga_ok=ok["PGA worse"],
        prednisone=dose,
        prednisone_ok=dose_ok,
        immunosuppressant_ok=ok["new immunosuppressant"],
        reason=_first_reason(components),
    )


def _verdict(components: tuple[tuple[Reason, bool | None], ...], unknown: bool | None) -> bool | None:
    passed = [ok for _, ok in components]
    if False in passed:
        return False
    return unknown if None in passed else True


def _first_reason(components: tuple[tuple[Reason, bool | None], ...]) -> Reason:
    failed: list[Reason] = [name for name, ok in components if ok is False]
    if failed:
        return failed[0]
    return "component missing" if any(ok is None for _, ok in components) else ""


def _is_worse(rise: Decimal, rules: SriRules) -> bool:
    return rise >= rules.pga_limit if rules.pga_limit_is_worse else rise > rules.pga_limit


def _prednisone(course: Course, visit: str, rules: SriRules) -> tuple[float | None, bool | None]:
    """The dose that the taper rule looks at; True where the rule does not apply yet."""
    if rules.prednisone_max is None:
        return None, True
    now = course.at(visit)
    if now is not None and now.day is not None and now.day < rules.prednisone_week * 7:
        return now.prednisone, True
    dose = dose_when_due(course, rules.prednisone_week, visit)
    return dose, None if dose is None else dose <= rules.prednisone_max


def _immunosuppressant_ok(course: Course, visit: str, rules: SriRules) -> bool | None:
    if rules.immunosuppressant_week is None:
        return True
    last = rules.immunosuppressant_week * 7
    flags = [v.new_immunosuppressant for v in course.until(visit) if v.day is None or v.day <= last]
    if any(flags):
        return False
    return None if not flags or all(flag is None for flag in flags) else True
