"""Low disease activity (LLDAS) and remission (DORIS 2021), with the switches that sources disagree on."""

from __future__ import annotations

from dataclasses import dataclass

from cytometry.clinical.sledai import clinical_from_total
from cytometry.clinical.visits import ClinicalVisit

MAJOR_ORGAN_ITEMS = (
    "seizure",
    "psychosis",
    "organic_brain_syndrome",
    "visual_disturbance",
    "cranial_nerve",
    "lupus_headache",
    "cva",
    "vasculitis",
    "urinary_casts",
    "hematuria",
    "proteinuria",
    "pyuria",
    "pleurisy",
    "pericarditis",
    "fever",
)
"""SLEDAI-2K items of kidney, nervous system, heart and lung, vasculitis, and fever."""


@dataclass(frozen=True, slots=True)
class LldasRules:
    """Franklyn 2016, as the European table prints it.

    Parameters
    ----------
    investigational_drug_allowed
        Read literally, a trial's participants on an investigational product
        cannot reach LLDAS. True leaves that clause out.
    """

    sledai_max: float = 4
    pga_max: float = 1
    prednisone_max: float = 7.5
    investigational_drug_allowed: bool = True


@dataclass(frozen=True, slots=True)
class DorisRules:
    """Van Vollenhoven 2021: clinical SLEDAI 0, PGA < 0.5, prednisolone ≤ 5 mg/day; serology ignored.

    Parameters
    ----------
    pga_limit_passes, prednisone_limit_passes
        Whether the limit itself passes. The paper's abstract says 5 mg/day or
        less, its table less than 5; older lists take PGA ≤ 0.5.
    """

    pga_limit: float = 0.5
    pga_limit_passes: bool = False
    prednisone_limit: float = 5
    prednisone_limit_passes: bool = True


def lldas(
    now: ClinicalVisit, previous: ClinicalVisit | None, rules: LldasRules | None = None
) -> tuple[bool | None, str]:
    """Whether low disease activity is met, and the first reason why not; None where data are missing.

    Haemolytic anaemia and gastrointestinal activity are not SLEDAI items: BILAG
    grades A or B of the haematological and gastrointestinal systems stand for them.

    Examples
    --------
    >>> visit = ClinicalVisit("P1", "W24", sledai=2, items={"rash": 2}, pga=0.5, prednisone=5)
    >>> lldas(visit, visit)
    (True, '')
    """
    rules = rules or LldasRules()
    if now.withdrawn:
        return False, "withdrawn"
    if not rules.investigational_drug_allowed:
        return False, "investigational drug"
    if now.sledai is None or now.pga is None or now.prednisone is None or (now.sledai > 0 and not now.items):
        return None, "component missing"
    active = [item for item in MAJOR_ORGAN_ITEMS if now.items.get(item, 0) > 0]
    organs = [s for s in ("haematological", "gastrointestinal") if now.bilag.get(s) in {"A", "B"}]
    fresh = [] if previous is None else [i for i, p in now.items.items() if p > 0 and previous.items.get(i, 0) == 0]
    checks = (
        (now.sledai <= rules.sledai_max, f"SLEDAI above {rules.sledai_max:g}"),
        (not active, f"major organ activity: {', '.join(active)}"),
        (not organs, f"{', '.join(organs)} activity"),
        (not fresh, f"new activity: {', '.join(fresh)}"),
        (now.pga <= rules.pga_max, f"PGA above {rules.pga_max:g}"),
        (now.prednisone <= rules.prednisone_max, f"prednisone above {rules.prednisone_max:g} mg/day"),
    )
    return next(((False, reason) for passed, reason in checks if not passed), (True, ""))


def doris(now: ClinicalVisit, rules: DorisRules | None = None) -> tuple[bool | None, str]:
    """Whether remission is met, and the first reason why not; None where data are missing.

    Examples
    --------
    >>> doris(ClinicalVisit("P1", "W24", sledai=2, items={"low_complement": 2}, pga=0.4, prednisone=5))
    (True, '')
    >>> doris(ClinicalVisit("P1", "W24", sledai=0, pga=0.5, prednisone=5))
    (False, 'PGA not below 0.5')
    """
    rules = rules or DorisRules()
    if now.withdrawn:
        return False, "withdrawn"
    clinical = None if now.sledai is None else clinical_from_total(now.sledai, now.items)
    if clinical is None or now.pga is None or now.prednisone is None:
        return None, "component missing"
    pga_ok = now.pga <= rules.pga_limit if rules.pga_limit_passes else now.pga < rules.pga_limit
    limit = rules.prednisone_limit
    dose_ok = now.prednisone <= limit if rules.prednisone_limit_passes else now.prednisone < limit
    checks = (
        (clinical == 0, f"clinical SLEDAI {clinical:g}"),
        (pga_ok, f"PGA {'above' if rules.pga_limit_passes else 'not below'} {rules.pga_limit:g}"),
        (dose_ok, f"prednisone {'above' if rules.prednisone_limit_passes else 'not below'} {limit:g} mg/day"),
    )
    return next(((False, reason) for passed, reason in checks if not passed), (True, ""))
