"""FCS files: what is written is read, by us and by another reader; damage is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from cytometry.errors import FcsError
from cytometry.io.damage import cut_copy, disguised_copy
from cytometry.io.fcs.read import read_fcs
from cytometry.io.fcs.second_opinion import ask_others
from cytometry.io.fcs.write import write_fcs
from cytometry.model.channels import Channel
from cytometry.model.claims import Claim

AREA: Final = "FCS files"
# The standard's own example: 431 of 1024 channels over four decades (FCS 3.1, section 3.2.20).
_EXAMPLE, _LINEAR = 431, 48.26071


def reading_claims(folder: Path) -> Iterator[Claim]:
    """Write files, read them, damage one."""
    rng = np.random.default_rng(1)
    events = rng.normal(1e4, 5e3, (5_000, 4)).astype(np.float32)
    path = folder / "float.fcs"
    write_fcs(path, events, ["A", "B", "C", "D"], keywords={"$TIMESTEP": "0.01"})
    sample = read_fcs(path)
    yield Claim(
        AREA,
        "floating-point events are read as they were written: values that differ",
        "the file's own events",
        "=",
        0.0,
        float((sample.raw() != events).sum()),
    )
    others = ask_others(sample)
    yield Claim(AREA, "other readers agree on the same file", "FlowIO, fcsparser", "=", "agree", others.summary)
    whole = rng.integers(0, 1024, (1_000, 1))
    whole[0] = _EXAMPLE
    log = Channel(0, "FL1", range=1024.0, bits=16, amplification=(4.0, 1.0))
    write_fcs(folder / "log.fcs", whole, [log], datatype="I")
    linear = float(read_fcs(folder / "log.fcs").linear()[0, 0])
    yield Claim(
        AREA, "a logarithmic channel becomes linear", "FCS 3.1, example of $PnE", "within", _LINEAR, linear, 5e-6
    )
    yield from _damage(folder, path)


def _damage(folder: Path, whole: Path) -> Iterator[Claim]:
    cases = {"that was cut off": cut_copy, "that is no FCS": disguised_copy}
    for number, (says, damage) in enumerate(cases.items()):
        target = folder / f"damaged{number}.fcs"
        damage(whole, target)
        try:
            read_fcs(target)
            answer = "read"
        except FcsError:
            answer = "refused"
        yield Claim(AREA, f"a file {says}", "it cannot be read without guessing", "=", "refused", answer)
