"""Statistics and scores against closed forms, textbooks and exact null distributions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from cytometry.clinical.sledai import total
from cytometry.model.claims import Claim
from cytometry.model.clinical import SLEDAI_WEIGHTS
from cytometry.statistics.correlation import spearman
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.mcnemar import mcnemar
from cytometry.statistics.p_adjust import p_adjust
from cytometry.statistics.proportions import proportion_interval
from cytometry.statistics.sign_flip import sign_flip
from cytometry.statistics.signed_rank import signed_rank

AREA: Final = "statistics"
# Hamilton depression scale of nine patients before and after a drug (Hollander and Wolfe 1973, table 3.1).
_BEFORE: Final = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
_AFTER: Final = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)
_TRIALS: Final = 20_000


def statistics_claims(folder: Path) -> Iterator[Claim]:
    """p-values, intervals and estimates whose right answer is known."""
    changes = np.array(_BEFORE) - np.array(_AFTER)
    book = "Hollander and Wolfe 1973, as in R's wilcox.test"
    ranks = signed_rank(changes)
    yield Claim(AREA, "signed-rank sum of the depression data", book, "=", 40.0, ranks.w_plus)
    yield Claim(AREA, "its exact two-sided p", book, "within", 0.0390625, ranks.p_value.p, 1e-12)
    yield Claim(AREA, "its Hodges-Lehmann estimate", book, "within", 0.46, hodges_lehmann(changes).estimate, 1e-9)
    flips = sign_flip([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    yield Claim(AREA, "six changes of one sign: exact p", "2 / 2^6", "=", 2 / 64, flips.p_value.p)
    upper = proportion_interval(0, 10).high
    yield Claim(
        AREA, "none of ten: upper end of the 95 % interval", "1 - 0.025^(1/10)", "within", 0.308497, upper, 1e-6
    )
    yield Claim(AREA, "five of five changed state: exact McNemar p", "2 / 2^5", "within", 0.0625, mcnemar(5, 0).p_exact)
    order = spearman([1, 2, 3, 4, 5, 6], [2, 3, 5, 7, 11, 13])
    yield Claim(AREA, "six pairs in one order: exact p of Spearman's rho", "2 / 6!", "within", 2 / 720, order.p_value.p)
    holm = p_adjust([0.01, 0.02, 0.03, 0.04], "holm")
    text = ", ".join(f"{p:.2f}" for p in holm)
    yield Claim(AREA, "Holm's adjustment of 0.01 to 0.04", "by hand", "=", "0.04, 0.06, 0.06, 0.06", text)
    yield _type_one_error()
    items = {name: SLEDAI_WEIGHTS[name] for name in ("seizure", "arthritis", "fever")}
    yield Claim(AREA, "SLEDAI-2K of seizure, arthritis and fever", "8 + 4 + 1", "=", 13.0, float(total(items)))
    full = float(total(SLEDAI_WEIGHTS))
    yield Claim(AREA, "SLEDAI-2K with everything", "Gladman et al. 2002", "=", 105.0, full)


def _type_one_error() -> Claim:
    """Six patients without any change: p <= 0.05 is then p = 2/64, and comes out 2 times in 64."""
    rng = np.random.default_rng(4)
    rejected = sum(sign_flip(d).p_value.p <= 0.05 for d in rng.normal(0, 1, (_TRIALS, 6)))
    error = 4 * float(np.sqrt(2 / 64 * 62 / 64 / _TRIALS))
    says = f"six unchanged patients, {_TRIALS:,} trials: share with p at most 0.05"
    return Claim(AREA, says, "2 / 64, four standard errors", "within", 2 / 64, rejected / _TRIALS, error)
