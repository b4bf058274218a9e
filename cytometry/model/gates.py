"""Gates as values. Intervals are half-open, ``min <= x < max``, as in GatingML 2.0.

A gate's coordinates are on its dimensions' display scale: compensated and
transformed as each dimension says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cytometry.errors import StrategyError

FloatArray = npt.NDArray[np.float64]

UNCOMPENSATED = "uncompensated"
FROM_FILE = "FCS"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis of a gate.

    Parameters
    ----------
    name
        Marker of the panel; ``$PnN`` in imported strategies.
    compensation
        ``uncompensated``, ``FCS`` (the file's own matrix), or a key of the
        strategy's ``compensations``. With any matrix, a channel that is not in
        it passes unchanged.
    transform
        Key of the strategy's ``transforms``; None for the linear scale.
    """

    name: str
    compensation: str = UNCOMPENSATED
    transform: str | None = None


@dataclass(frozen=True, slots=True)
class RatioDimension:
    """GatingML ``fratio``: ``A * (x - B) / (y - C)`` of two channels, held in its bounds, then a transform."""

    numerator: str
    denominator: str
    A: float = 1.0
    B: float = 0.0
    C: float = 0.0
    compensation: str = UNCOMPENSATED
    transform: str | None = None
    minimum: float = -np.inf
    maximum: float = np.inf

    def __post_init__(self) -> None:
        if not np.isfinite([self.A, self.B, self.C]).all() or not self.minimum <= self.maximum:
            raise StrategyError(
                f"ratio {self.name} has a parameter that is not finite, or boundMin above boundMax",
                hint="A, B and C are numbers",
                code="TRANSFORM_NONSENSE",
            )

    @property
    def name(self) -> str:
        """Label of the ratio."""
        return f"{self.numerator}/{self.denominator}"


AnyDimension = Dimension | RatioDimension


@dataclass(frozen=True, slots=True)
class Interval:
    """``minimum <= x < maximum`` on one dimension; infinite where open."""

    dimension: AnyDimension
    minimum: float = -np.inf
    maximum: float = np.inf

    def __post_init__(self) -> None:
        if np.isnan(self.minimum) or np.isnan(self.maximum) or self.minimum > self.maximum:
            raise StrategyError(
                f"interval on '{self.dimension.name}' has minimum {self.minimum:g} and maximum {self.maximum:g}",
                hint="minimum must be a number not above maximum",
                code="GATE_NONSENSE",
            )


@dataclass(frozen=True, slots=True)
class RectangleGate:
    """Intersection of intervals: a range, rectangle or box; also a quadrant.

    ``quadrant_of`` names the quadrant gate it was read from, so that it can be
    written back as one. With ``complement`` the gate keeps the parent's events
    outside the shape (FlowJo's inverted gates).
    """

    intervals: tuple[Interval, ...]
    quadrant_of: str = ""
    complement: bool = False

    def __post_init__(self) -> None:
        if not self.intervals:
            raise StrategyError("rectangle has no dimension", hint="at least one is needed", code="GATE_NONSENSE")

    @property
    def dimensions(self) -> tuple[AnyDimension, ...]:
        """Axes in order."""
        return tuple(i.dimension for i in self.intervals)


@dataclass(frozen=True, eq=False, slots=True)
class PolygonGate:
    """Interior by the even-odd rule; ``vertices`` is (n ≥ 3, 2), last joined to first.

    ``complement`` as in :class:`RectangleGate`.
    """

    dimensions: tuple[AnyDimension, AnyDimension]
    vertices: FloatArray
    complement: bool = False

    def __post_init__(self) -> None:
        vertices = _frozen(self.vertices)
        if vertices.ndim != 2 or vertices.shape[1] != 2 or len(vertices) < 3:
            raise StrategyError(
                f"polygon has vertices of shape {vertices.shape}",
                hint="at least 3 × 2 are needed",
                code="GATE_NONSENSE",
            )
        if not np.isfinite(vertices).all():
            raise StrategyError("polygon has a vertex that is not finite", hint="redraw it", code="GATE_NONSENSE")
        object.__setattr__(self, "vertices", vertices)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PolygonGate)
            and self.dimensions == other.dimensions
            and np.array_equal(self.vertices, other.vertices)
            and self.complement == other.complement
        )

    def __hash__(self) -> int:
        return hash((self.dimensions, self.vertices.tobytes(), self.complement))


@dataclass(frozen=True, eq=False, slots=True)
class EllipsoidGate:
    """``(x - mean)ᵀ covariance⁻¹ (x - mean) <= distance_square``, two dimensions or more.

    A symmetric covariance must be positive definite. One gate of the standard's
    own compliance suite (``Ellipsoid3D``) has a matrix that is neither symmetric
    nor definite, and an answer for every event: so an asymmetric matrix of three
    or more dimensions is taken as the quadratic form that it defines, and
    ``is_definite`` says that the gate is not an ellipsoid.
    """

    dimensions: tuple[AnyDimension, ...]
    mean: FloatArray
    covariance: FloatArray
    distance_square: float = 1.0
    complement: bool = False

    def __post_init__(self) -> None:
        mean, covariance = _frozen(self.mean), _frozen(self.covariance)
        n = len(self.dimensions)
        if n < 2:
            raise StrategyError(f"ellipsoid has {n} dimensions", hint="two or more are needed", code="GATE_NONSENSE")
        if mean.shape != (n,) or covariance.shape != (n, n):
            raise StrategyError(
                f"ellipsoid over {n} dimensions has mean {mean.shape} and covariance {covariance.shape}",
                code="GATE_NONSENSE",
            )
        finite = np.isfinite(mean).all() and np.isfinite(covariance).all() and np.isfinite(self.distance_square)
        if not finite or self.distance_square <= 0:
            raise StrategyError(
                "ellipsoid has a mean, covariance or squared distance that is not finite and positive",
                code="GATE_NONSENSE",
            )
        definite = _is_definite(covariance)
        tolerated = n > 2 and not _is_symmetric(covariance) and np.linalg.matrix_rank(covariance) == n
        if not definite and not tolerated:
            raise StrategyError(
                "ellipsoid has a covariance that is not symmetric and positive definite",
                hint="all eigenvalues must be above zero; draw the gate again",
                code="GATE_NONSENSE",
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)

    @property
    def is_definite(self) -> bool:
        """Whether the gate is a proper ellipsoid."""
        return _is_definite(self.covariance)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, EllipsoidGate)
            and self.dimensions == other.dimensions
            and np.array_equal(self.mean, other.mean)
            and np.array_equal(self.covariance, other.covariance)
            and self.distance_square == other.distance_square
            and self.complement == other.complement
        )

    def __hash__(self) -> int:
        numbers = (self.mean.tobytes(), self.covariance.tobytes(), self.distance_square)
        return hash((self.dimensions, numbers, self.complement))


@dataclass(frozen=True, slots=True)
class Operand:
    """A population that a boolean gate refers to, by path; complemented or not."""

    path: str
    complement: bool = False


@dataclass(frozen=True, slots=True)
class BooleanGate:
    """``and``, ``or`` of populations; ``not`` takes one operand.

    Operands are evaluated within the boolean population's own parent.
    """

    operator: Literal["and", "or", "not"]
    operands: tuple[Operand, ...]

    def __post_init__(self) -> None:
        if not self.operands or (self.operator == "not" and len(self.operands) != 1):
            raise StrategyError(
                f"boolean gate '{self.operator}' has {len(self.operands)} operands",
                hint="'not' takes one, 'and' and 'or' at least one",
                code="GATE_NONSENSE",
            )

    @property
    def dimensions(self) -> tuple[AnyDimension, ...]:
        """A boolean gate reads no channel itself."""
        return ()


@dataclass(frozen=True, slots=True)
class EventMaskGate:
    """Events kept or removed one by one, as runs of event numbers ``start <= i < stop``.

    What acquisition quality control places (a clog in time): written to
    GatingML as intervals of Time where the file has a Time channel.
    """

    kept_runs: tuple[tuple[int, int], ...]

    @property
    def dimensions(self) -> tuple[AnyDimension, ...]:
        """An event mask reads no channel itself."""
        return ()


Gate = RectangleGate | PolygonGate | EllipsoidGate | BooleanGate | EventMaskGate


def _is_symmetric(matrix: FloatArray) -> bool:
    return bool(np.allclose(matrix, matrix.T, rtol=1e-6, atol=0.0))


def _is_definite(matrix: FloatArray) -> bool:
    return _is_symmetric(matrix) and bool((np.linalg.eigvalsh(matrix) > 0).all())


def _frozen(values: npt.ArrayLike) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array
