"""``plan.sealed.json``: the analysis plan as it was before anybody looked, beside ``study.yaml``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from cytometry.errors import OutputError, StudyError
from cytometry.io.atomic import write_atomically
from cytometry.io.digests import bytes_digest
from cytometry.model.plan import AnalysisPlan

SEALED_PLAN: Final = "plan.sealed.json"
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class SealedPlan:
    """A plan with its hash and the day on which it was sealed."""

    plan: AnalysisPlan
    sha256: str
    sealed_on: str


def seal_plan(folder: Path, plan: AnalysisPlan, canonical: str) -> SealedPlan:
    """Write the sealed plan of a study.

    Parameters
    ----------
    canonical
        The plan in its one spelling; the hash is over it.

    Raises
    ------
    OutputError
        A plan was sealed before: a seal that can be renewed is none.
    """
    path = folder / SEALED_PLAN
    if path.exists():
        raise OutputError(
            "the plan was sealed before",
            where=str(path),
            hint="departures from it are listed in the report; `cytometry plan show` lists them now",
            code="PLAN_SEALED",
        )
    sealed = SealedPlan(plan, bytes_digest(canonical.encode()), datetime.now(UTC).date().isoformat())
    document = {
        "schema_version": SCHEMA_VERSION,
        "sealed_on": sealed.sealed_on,
        "sha256": sealed.sha256,
        "plan": json.loads(canonical),
        "canonical": canonical,
    }
    write_atomically(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    return sealed


def read_sealed_plan(folder: Path) -> SealedPlan | None:
    """The sealed plan of a study; None if none was sealed.

    Raises
    ------
    StudyError
        The file was changed: its plan and its hash do not fit.
    """
    path = folder / SEALED_PLAN
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        document = json.loads(data)
        canonical = str(document["canonical"])
        if json.loads(canonical) != document["plan"] or bytes_digest(canonical.encode()) != document["sha256"]:
            raise ValueError("plan and hash do not fit")
        plan = AnalysisPlan.model_validate_json(canonical)
        return SealedPlan(plan, str(document["sha256"]), str(document["sealed_on"]))
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise StudyError(
            "was changed after it was written",
            where=SEALED_PLAN,
            hint="restore the file as it was sealed",
            code="SEAL_BROKEN",
        ) from error
