"""Invented clinical courses: SLEDAI-2K items, BILAG-2004 grades, PGA and prednisone by visit.

Disease activity follows the same response that moves the B cells: that ΔSLEDAI correlates with
B-cell changes in the demo study is built in, an assumption and not a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np

from cytometry.model.clinical import BILAG_SYSTEMS, SLEDAI_WEIGHTS
from cytometry.model.tables import Cell, Row

# Where an item of the one index shows in the other; serology has no BILAG system.
_SYSTEM: Mapping[str, str] = MappingProxyType(
    {
        "arthritis": "musculoskeletal",
        "rash": "mucocutaneous",
        "alopecia": "mucocutaneous",
        "mucosal_ulcers": "mucocutaneous",
        "vasculitis": "mucocutaneous",
        "hematuria": "renal",
        "proteinuria": "renal",
        "pleurisy": "cardiorespiratory",
        "leukopenia": "haematological",
        "fever": "constitutional",
    }
)
#: Points by which SLEDAI falls in a participant of average response once the effect is complete.
SLEDAI_FALL = 6.0
#: The fall that SRI-4 asks for; responders of the demo reach it at the last visit.
RESPONSE_FALL = 4


@dataclass(frozen=True)
class Presentation:
    """What a participant suffers from at baseline.

    Parameters
    ----------
    items
        Active SLEDAI-2K items.
    severe
        BILAG systems graded A at baseline; the others with an active item are graded B.
    pga
        0 to 3.
    prednisone
        mg per day.
    lymphocytes
        10⁹ per litre.
    """

    items: tuple[str, ...]
    severe: tuple[str, ...]
    pga: float
    prednisone: float
    lymphocytes: float


#: Six invented participants with active disease: SLEDAI 9 to 14 and at least one BILAG A or B each.
PRESENTATIONS: tuple[Presentation, ...] = (
    Presentation(("arthritis", "rash", "alopecia", "low_complement", "increased_dna_binding"), (), 1.8, 10.0, 1.2),
    Presentation(("proteinuria", "hematuria", "low_complement", "increased_dna_binding"), ("renal",), 2.2, 20.0, 0.9),
    Presentation(("arthritis", "mucosal_ulcers", "rash", "increased_dna_binding"), (), 1.6, 7.5, 1.4),
    Presentation(("arthritis", "pleurisy", "low_complement", "increased_dna_binding"), (), 1.9, 15.0, 1.0),
    Presentation(("vasculitis", "rash", "fever", "increased_dna_binding"), ("mucocutaneous",), 2.3, 20.0, 0.8),
    Presentation(("arthritis", "rash", "mucosal_ulcers", "leukopenia", "low_complement"), (), 1.7, 10.0, 1.1),
)


def sledai(items: tuple[str, ...]) -> int:
    """SLEDAI-2K of active items.

    Examples
    --------
    >>> sledai(("arthritis", "rash", "fever"))
    7
    """
    return sum(SLEDAI_WEIGHTS[i] for i in items)


def clinical_rows(
    subject: str,
    presentation: Presentation,
    response: float,
    visits: tuple[tuple[str, float, float], ...],
    last_visit: str | None,
    rng: np.random.Generator,
) -> tuple[Row, ...]:
    """One participant's rows of ``clinical.csv``.

    Parameters
    ----------
    response
        As in :class:`~cytometry.simulation.cohort.Course`.
    visits
        Name, planned day, share of the effect, in order; the first is the baseline.
    last_visit
        Last one attended; None: all. The next row says ``withdrawn`` and nothing else, and is the last.
    """
    rows: list[Row] = []
    resolved: tuple[str, ...] = ()
    gone = False
    for index, (visit, day, onset) in enumerate(visits):
        if gone:
            rows.append(_withdrawn(subject, visit))
            break
        is_last = index == len(visits) - 1
        if response > 0 and index > 0:
            fall = SLEDAI_FALL * response * onset + rng.normal(0.0, 0.6)
            resolved = _resolve(presentation.items, resolved, max(fall, RESPONSE_FALL if is_last else 0.0))
        # Seen on the planned day or up to two days later, the baseline on the day of the infusion.
        late = 0.0 if index == 0 else float(rng.integers(0, 3))
        rows.append(_row(subject, (visit, day + late, onset), presentation, resolved, rng))
        gone = visit == last_visit
    return tuple(rows)


def _resolve(items: tuple[str, ...], before: tuple[str, ...], fall: float) -> tuple[str, ...]:
    """Items resolved by now: what was resolved stays so, and the sum comes as near to ``fall`` as items allow.

    Of equally near sets the larger fall is taken.
    """
    rest = tuple(i for i in items if i not in before)
    sets = [(*before, *more) for k in range(len(rest) + 1) for more in combinations(rest, k)]
    enough = [s for s in sets if sledai(s) >= min(fall, RESPONSE_FALL)] or sets
    return min(enough, key=lambda s: (abs(sledai(s) - fall), -sledai(s), s))


def _row(
    subject: str,
    visit: tuple[str, float, float],
    who: Presentation,
    resolved: tuple[str, ...],
    rng: np.random.Generator,
) -> Row:
    name, day, onset = visit
    active = tuple(i for i in who.items if i not in resolved)
    improved = sledai(resolved) / sledai(who.items)
    # The taper of those who improve, in steps of 2.5 mg: 10 mg or less once the effect is complete.
    prednisone = max(2.5 * round(who.prednisone * (1.0 - 0.6 * onset) / 2.5), 2.5) if resolved else who.prednisone
    row: dict[str, Cell] = {"subject_id": subject, "visit": name, "study_day": int(day), "sledai": sledai(active)}
    row |= {f"sledai_{item}": weight if item in active else 0 for item, weight in SLEDAI_WEIGHTS.items()}
    row |= {f"bilag_{system}": _grade(system, who, active) for system in BILAG_SYSTEMS}
    row["pga"] = round(min(max(who.pga * (1.0 - 0.8 * improved) + rng.normal(0.0, 0.05), 0.0), 3.0), 1)
    row["prednisone_mg_per_day"] = prednisone
    row["lymphocytes_10e9_per_l"] = round(who.lymphocytes * 10.0 ** rng.normal(0.03 * bool(resolved), 0.03), 2)
    return row | {"new_immunosuppressant": False, "withdrawn": False}


def _grade(system: str, who: Presentation, active: tuple[str, ...]) -> str:
    """A or B while an item of the system is active, C when some have gone, D when all have, E never."""
    then = [i for i in who.items if _SYSTEM.get(i) == system]
    now = [i for i in active if _SYSTEM.get(i) == system]
    if not then:
        return "E"
    if not now:
        return "D"
    if len(now) < len(then):
        return "C"
    return "A" if system in who.severe else "B"


def _withdrawn(subject: str, visit: str) -> Row:
    """The row that says that a participant has left: nothing was measured."""
    return {"subject_id": subject, "visit": visit, "withdrawn": True}
