"""How much DATA looks like measurements when it is read in a certain way.

Used only to choose between ways that the file itself puts forward, and to
notice a file that contradicts itself. What is looked at: numbers are finite and
of a size that a detector can produce, values lie below ``$PnR``, Time rises, an
event counter counts.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.io.fcs.layout import Layout, read_matrix, read_stored, to_native
from cytometry.io.fcs.parameters import Parameter
from cytometry.model.normal import MAD_TO_SD

# Enough for a share to be known to three per cent; reading more would cost time on every file.
SAMPLED_EVENTS = 1_000
# No detector, unmixing or scale yields numbers beyond these; single bytes out of place do so at once.
_LARGEST = 1e12
_SMALLEST = 1e-15
_ROOM_ABOVE_RANGE = 1.5
# Random bits lie in a range with so many bits to spare once in sixteen times.
_TELLING_BITS = 4
_COUNTER = re.compile(r"EVENT[ _#]*(NUMBER|NUM|NO|COUNT|ID)?", re.IGNORECASE)
_FEWEST_TO_PROFILE = 50
_PROFILED_EVENTS = 300
# In spreads of a channel: medians of a hundred events move by a tenth.
_FAR, _NEAR = 1.0, 0.5
_FARTHEST = 10.0
_SMALLEST_SPREAD = 0.05
# Two ways differ where one of them has a fifth more of its values in order.
_CLEAR = 0.2


@dataclass(frozen=True, slots=True)
class Evidence:
    """Shares, 0 to 1, of what looked right; None where the file offers nothing to look at.

    Parameters
    ----------
    sane
        Floating-point values that are finite and neither huge nor minute.
    in_range
        Values within ``$PnR``.
    time_rises
        Steps of Time that do not go back.
    counter_counts
        Steps of the event counter that are 1.
    """

    sane: float | None = None
    in_range: float | None = None
    time_rises: float | None = None
    counter_counts: float | None = None

    def items(self) -> tuple[tuple[str, float | None], ...]:
        """Names for people, with the shares."""
        return (
            ("values that are sane numbers", self.sane),
            ("values within $PnR", self.in_range),
            ("steps of Time that do not go back", self.time_rises),
            ("steps of the event counter that are 1", self.counter_counts),
        )

    def __str__(self) -> str:
        return ", ".join(f"{share:.0%} of {name}" for name, share in self.items() if share is not None) or "no evidence"

    def beats(self, other: Evidence) -> bool:
        """Clearly better in one thing at least, and clearly worse in none."""
        pairs = [
            (a, b)
            for (_, a), (_, b) in zip(self.items(), other.items(), strict=True)
            if a is not None and b is not None
        ]
        return any(a >= b + _CLEAR for a, b in pairs) and not any(b >= a + _CLEAR for a, b in pairs)

    @property
    def is_doubtful(self) -> bool:
        """Whether another way of reading should be looked at."""
        return self.is_bad or (self.in_range is not None and self.in_range < _DOUBTFUL_RANGE)

    @property
    def is_bad(self) -> bool:
        """Whether something looks wrong by itself."""
        return any(share is not None and share < limit for (_, share), limit in zip(self.items(), _BAD, strict=True))

    @property
    def time_falls(self) -> bool:
        """Whether Time goes back so often that it is no time."""
        return self.time_rises is not None and self.time_rises < _BAD[2]

    def shows_as_much_as(self, other: Evidence) -> bool:
        """Whether everything that could be looked at there could be looked at here."""
        pairs = zip(self.items(), other.items(), strict=True)
        return all(a is not None or b is None for (_, a), (_, b) in pairs)

    def is_better_way(self, other: Evidence) -> bool:
        """Plainly right in something where ``other`` is plainly wrong, and clearly worse in nothing."""
        pairs = [
            (a, b)
            for (_, a), (_, b) in zip(self.items(), other.items(), strict=True)
            if a is not None and b is not None
        ]
        # What is wrong either way, a Time that was shuffled, speaks for neither.
        return (
            self.beats(other)
            and any(a > 0.98 and b < 0.5 for a, b in pairs)
            and all(a > 0.98 or b < 0.9 for a, b in pairs)
        )

    @property
    def is_clean(self) -> bool:
        """Whether everything that could be looked at is as measurements are."""
        shares = [share for _, share in self.items() if share is not None]
        return len(shares) > 1 and min(shares) > 0.98


# Below these shares: sane numbers, range, Time, counter. Chance gives Time one half; an instrument nearly one.
_BAD = (0.9, 0.5, 0.75, 0.5)
# Of bytes read in the wrong order, dim channels, nearly all zeros, leave many in range.
_DOUBTFUL_RANGE = 0.8


def weigh(data: mmap.mmap, begin: int, n_events: int, layout: Layout, parameters: tuple[Parameter, ...]) -> Evidence:
    """Look at the first events as if DATA began at byte ``begin`` of the file."""
    n = min(n_events, SAMPLED_EVENTS, layout.events_in(len(data) - begin))
    if n < 2 or begin < 0:
        return Evidence()
    block = _block(data, begin, n, layout)
    return Evidence(
        sane=_sane_share(block, parameters),
        in_range=_in_range_share(block, layout, parameters),
        time_rises=_time_share(block, parameters),
        counter_counts=_counter_share(block, parameters),
    )


def _block(data: mmap.mmap, begin: int, n: int, layout: Layout) -> npt.NDArray[np.float64]:
    """Events × channels before masking, float64."""
    out = np.empty((n, len(layout.fields)), dtype=np.float64)
    stored = read_matrix(data, begin, n, layout)
    with np.errstate(invalid="ignore"):  # a signalling NaN is evidence like any other
        if stored is not None:
            out[...] = stored
        else:
            for i in range(len(layout.fields)):
                out[:, i] = to_native(read_stored(data, begin, n, layout, i))
    return out


def _sane_share(block: npt.NDArray[np.float64], parameters: tuple[Parameter, ...]) -> float | None:
    floats = [i for i, p in enumerate(parameters) if p.kind != "I"]
    if not floats:
        return 1.0  # every pattern of bits is an integer
    # NaN and infinity are of the instrument's making as often as of a shift: they do not count, either way.
    values = block[:, floats]
    finite = np.isfinite(values)
    size = np.abs(values)
    wild = finite & ((size > _LARGEST) | ((size < _SMALLEST) & (size > 0)))
    seen = finite.sum(axis=0)
    shares = 1.0 - wild.sum(axis=0)[seen > 0] / seen[seen > 0]
    return float(shares.mean()) if shares.size else None


def _in_range_share(block: npt.NDArray[np.float64], layout: Layout, parameters: tuple[Parameter, ...]) -> float | None:
    chosen, limits = [], []
    for i, parameter in enumerate(parameters):
        top = parameter.channel.range
        # An integer whose bits all count is in range whatever it is. Time and counters run over their range on long
        # runs, and nobody minds.
        is_telling = parameter.kind != "I" or top <= 2.0 ** (layout.fields[i].bits - _TELLING_BITS)
        if top > 1 and is_telling and parameter.channel.kind in ("scatter", "fluorescence"):
            chosen.append(i)
            limits.append(top if parameter.kind == "I" else top * _ROOM_ABOVE_RANGE)
    if not chosen:
        return None
    values = block[:, chosen]
    finite = np.isfinite(values)
    inside = (np.abs(values) <= np.array(limits)) & finite
    return float(inside.sum() / finite.sum()) if finite.any() else None


def _time_share(block: npt.NDArray[np.float64], parameters: tuple[Parameter, ...]) -> float | None:
    shares = []
    for i, parameter in enumerate(parameters):
        if parameter.channel.name.strip().upper() == "TIME":
            steps = np.diff(_masked(block[:, i], parameter))
            if np.any(steps[np.isfinite(steps)] != 0):
                shares.append(float(np.mean(steps >= 0)))
    return float(np.mean(shares)) if shares else None


def _counter_share(block: npt.NDArray[np.float64], parameters: tuple[Parameter, ...]) -> float | None:
    shares = [
        float(np.mean(np.diff(block[:, i]) == 1))
        for i, parameter in enumerate(parameters)
        if _COUNTER.fullmatch(parameter.channel.name.strip())
    ]
    return float(np.mean(shares)) if shares else None


def _masked(column: npt.NDArray[np.float64], parameter: Parameter) -> npt.NDArray[np.float64]:
    return column if parameter.mask is None else np.mod(column, parameter.mask + 1)


def shifted_columns(
    data: mmap.mmap, begin: int, n_events: int, layout: Layout, parameters: tuple[Parameter, ...]
) -> int:
    """By how many columns the last events stand beside the first; 0 where they do not, or it cannot be told.

    Each channel has its own middle and spread. Where those of the last events
    fit the first ones only if moved sideways, whole values were lost or put in.
    """
    p = len(parameters)
    n = min(_PROFILED_EVENTS, n_events // 10)
    skipped = (n_events - n) // 8 * 8
    if p < 3 or n < _FEWEST_TO_PROFILE or len({(f.kind, f.bits) for f in layout.fields}) > 1:
        return 0
    middle, spread = _profile(data, begin, n, layout)
    later, _ = _profile(data, begin + layout.data_bytes(skipped), n_events - skipped, layout)
    if float(_median(np.abs(later - middle) / spread)) <= _FAR:
        return 0
    far = [float(_median(np.abs(np.roll(later, -s) - middle) / spread)) for s in range(p)]
    best = int(np.argmin(far))
    return best if far[best] < _NEAR and far[best] < far[0] / 4 else 0


def is_displaced(
    data: mmap.mmap, begin: int, n_events: int, layout: Layout, parameters: tuple[Parameter, ...], moved: int
) -> bool:
    """Whether the last events are like the first ones only if read ``moved`` bytes later."""
    n = min(_PROFILED_EVENTS, n_events // 4)
    skipped = (n_events - n) // 8 * 8
    at = begin + layout.data_bytes(skipped)
    n_last = min(n_events - skipped, layout.events_in(len(data) - at - moved))
    if n < _FEWEST_TO_PROFILE // 2 or n_last < _FEWEST_TO_PROFILE // 2:
        return False
    here = weigh(data, at, n_last, layout, parameters)
    later = weigh(data, at + moved, n_last, layout, parameters)
    if later.beats(here):
        return True
    middle, spread = _profile(data, begin, n, layout)
    far = [
        float(np.mean(np.minimum(np.abs(_profile(data, a, n_last, layout)[0] - middle) / spread, _FARTHEST)))
        for a in (at, at + moved)
    ]
    return not here.beats(later) and far[0] > _NEAR and far[1] < far[0] / 2


def _profile(
    data: mmap.mmap, begin: int, n: int, layout: Layout
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    block = _block(data, begin, n, layout)
    for i, field in enumerate(layout.fields):
        if field.mask is not None:
            block[:, i] = np.mod(block[:, i], field.mask + 1)
    scaled = np.arcsinh(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0, copy=False))
    middles = _median(scaled)
    spreads = MAD_TO_SD * _median(np.abs(scaled - middles)) + _SMALLEST_SPREAD
    return middles, spreads


def _median(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of finite values, down the columns; NumPy's own loads masked arrays first, for as long as it then takes."""
    ordered = np.sort(values, axis=0)
    n = len(ordered)
    return np.asarray((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)


def rising_start(data: mmap.mmap, begin: int, n_events: int, layout: Layout, parameters: tuple[Parameter, ...]) -> int:
    """How many events pass before Time first goes back; 0 where it stands still or there is none."""
    n = min(n_events, SAMPLED_EVENTS)
    for i, parameter in enumerate(parameters):
        if parameter.channel.name.strip().upper() != "TIME" or n < 2:
            continue
        with np.errstate(invalid="ignore"):
            column = _masked(to_native(read_stored(data, begin, n, layout, i)).astype(np.float64), parameter)
        back = np.flatnonzero(~(np.diff(column) >= 0))
        stop = int(back[0]) + 1 if back.size else n
        # Steps count, not events: a coarse clock stands still most of the time.
        return int(np.count_nonzero(np.diff(column[:stop]) > 0))
    return 0
