"""A Levey–Jennings chart as a small SVG: runs in order, the centre, and lines at one, two and three deviations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from cytometry.plotting.palette import ACCENT, ALERT, MUTED, RULE

WIDTH, HEIGHT = 220.0, 104.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 6.0, 16.0
# Farther points stand at the edge, as triangles: their distance is in the table.
_REACH = 4.0


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One run: its distance from the centre in standard deviations, NaN if unknown, and what it breaks."""

    z: float
    rules: str
    is_rejected: bool


def control_chart_picture(
    points: Sequence[ChartPoint], *, scale: Sequence[str], ends: tuple[str, str], description: str
) -> str:
    """SVG markup of one chart; every text in it is escaped.

    Parameters
    ----------
    points
        In order of acquisition.
    scale
        Texts at −2, 0 and +2 standard deviations.
    ends
        Texts below the first and the last run.
    description
        For readers who do not see the picture.
    """
    body = [_line(level) for level in (-3, -2, -1, 0, 1, 2, 3)]
    body += [
        f'<text class="py" x="{_LEFT - 4:g}" y="{_y(level) + 2.5:.1f}">{escape(text)}</text>'
        for level, text in zip((-2.0, 0.0, 2.0), scale, strict=True)
    ]
    places = [(_x(i, len(points)), p) for i, p in enumerate(points)]
    known = [(x, p) for x, p in places if not math.isnan(p.z)]
    path = " ".join(f"{x:.1f},{_y(p.z):.1f}" for x, p in known)
    body.append(f'<polyline fill="none" stroke="{MUTED}" stroke-width="0.8" points="{path}"/>')
    body += [_mark(x, p) for x, p in known]
    base = HEIGHT - 4
    body.append(f'<text class="px" style="text-anchor:start" x="{_LEFT:g}" y="{base:g}">{escape(ends[0])}</text>')
    if len(points) > 1:
        right = WIDTH - _RIGHT
        body.append(f'<text class="px" style="text-anchor:end" x="{right:g}" y="{base:g}">{escape(ends[1])}</text>')
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label={quoteattr(description)}>'
        f"{''.join(body)}</svg>"
    )


def _line(level: int) -> str:
    colour = {0: ACCENT, 3: ALERT}.get(abs(level), MUTED if abs(level) == 2 else RULE)
    dash = "" if level == 0 else ' stroke-dasharray="3 2"' if abs(level) > 1 else ' stroke-dasharray="1 2"'
    y = _y(float(level))
    return f'<path stroke="{colour}" stroke-width="0.7"{dash} d="M{_LEFT:g} {y:.1f}H{WIDTH - _RIGHT:g}" fill="none"/>'


def _mark(x: float, point: ChartPoint) -> str:
    y = _y(point.z)
    title = f"<title>{escape(point.rules)}</title>" if point.rules else ""
    if abs(point.z) > _REACH:
        tip = -5.0 if point.z > 0 else 5.0
        return f'<path fill="{ALERT}" d="M{x - 4:.1f} {y:.1f}h8l-4 {tip:g}z">{title}</path>'
    if point.is_rejected:
        # A square beside discs: the verdict is readable without colour.
        return f'<rect fill="{ALERT}" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6">{title}</rect>'
    fill = "white" if point.rules else ACCENT
    return f'<circle fill="{fill}" stroke="{ACCENT}" cx="{x:.1f}" cy="{y:.1f}" r="2.4">{title}</circle>'


def _x(place: int, n: int) -> float:
    inner = WIDTH - _LEFT - _RIGHT - 12
    return _LEFT + 6 + (inner / 2 if n == 1 else inner * place / (n - 1))


def _y(z: float) -> float:
    kept = max(-_REACH, min(_REACH, z))
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (_REACH - kept) / (2 * _REACH)
