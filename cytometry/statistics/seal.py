"""The plan's seal: a hash taken before anybody looked, and what was changed after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from cytometry.model.plan import AnalysisPlan


def canonical_plan(plan: AnalysisPlan) -> str:
    """The plan as JSON in one spelling: every default written out, keys sorted.

    Examples
    --------
    >>> '"alpha": 0.05' in canonical_plan(AnalysisPlan())
    True
    """
    return json.dumps(plan.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False)


def plan_digest(plan: AnalysisPlan) -> str:
    """SHA-256 of the canonical plan.

    Examples
    --------
    >>> plan_digest(AnalysisPlan()) == plan_digest(AnalysisPlan(alpha=0.05))
    True
    >>> plan_digest(AnalysisPlan()) == plan_digest(AnalysisPlan(alpha=0.1))
    False
    """
    return hashlib.sha256(canonical_plan(plan).encode("utf-8")).hexdigest()


def departures(sealed: AnalysisPlan, used: AnalysisPlan) -> tuple[str, ...]:
    """What was changed after sealing, one sentence per entry of the plan.

    Examples
    --------
    >>> departures(AnalysisPlan(), AnalysisPlan(alpha=0.1))
    ('alpha was 0.05 when the plan was sealed and is 0.1 now',)
    """
    before, now = _flat(sealed.model_dump(mode="json")), _flat(used.model_dump(mode="json"))
    absent = "not there"
    return tuple(
        f"{key} was {before.get(key, absent)} when the plan was sealed and is {now.get(key, absent)} now"
        for key in dict.fromkeys([*before, *now])
        if before.get(key, absent) != now.get(key, absent)
    )


def _flat(node: object, prefix: str = "") -> dict[str, str]:
    if isinstance(node, Mapping):
        parts = [_flat(v, f"{prefix}.{k}" if prefix else str(k)) for k, v in node.items()]
    elif isinstance(node, list):
        parts = [_flat(v, f"{prefix}[{i}]") for i, v in enumerate(node, start=1)]
    else:
        return {prefix: str(node)}
    return {key: value for part in parts for key, value in part.items()}
