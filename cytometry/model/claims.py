"""A claim that an installation has to keep: what is said, what should come out, what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Relation = Literal["=", "within", "at least", "at most"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of a qualification.

    Parameters
    ----------
    area
        Part of the program.
    says
        The claim, in one sentence.
    source
        Where the expectation comes from: a closed form, a table, another program, the simulated truth.
    relation, expected, tolerance
        ``=``: exactly; ``within``: not farther than ``tolerance`` away; else a limit.
    found
        What came out here.
    """

    area: str
    says: str
    source: str
    relation: Relation
    expected: float | str
    found: float | str
    tolerance: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the claim is kept; a number that is none keeps nothing.

        >>> Claim("sums", "one and one", "by hand", "within", 2.0, 2.1, tolerance=0.2).holds
        True
        >>> Claim("sums", "one and one", "by hand", "at least", 2.0, float("nan")).holds
        False
        """
        if isinstance(self.expected, str) or isinstance(self.found, str):
            return self.relation == "=" and self.found == self.expected
        if self.relation == "=":
            return self.found == self.expected
        if self.relation == "within":
            return abs(self.found - self.expected) <= self.tolerance
        return self.found >= self.expected if self.relation == "at least" else self.found <= self.expected

    @property
    def wanted(self) -> str:
        """The expectation as a person reads it.

        >>> Claim("sums", "one and one", "by hand", "within", 2.0, 2.0, tolerance=0.1).wanted
        '2 ± 0.1'
        """
        if isinstance(self.expected, str) or self.relation == "=":
            return _shown(self.expected)
        if self.relation == "within":
            return f"{_shown(self.expected)} ± {_shown(self.tolerance)}"
        return f"{self.relation} {_shown(self.expected)}"

    @property
    def seen(self) -> str:
        """What came out, as a person reads it."""
        return _shown(self.found)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
