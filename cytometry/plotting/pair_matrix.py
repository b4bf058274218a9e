"""Pairs of dye and detector as a grid: what the check says of each coefficient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from cytometry.plotting.palette import ALERT, INK, MUTED, RULE

Verdict = Literal["ok", "under", "over", "cannot tell"]
_CELL_WIDTH, _CELL_HEIGHT = 34.0, 17.0
_LEFT, _TOP = 96.0, 78.0
_LONGEST_NAME = 15


@dataclass(frozen=True, slots=True)
class PairCell:
    """One coefficient: its error in percentage points, and the verdict."""

    points: float
    verdict: Verdict


def pair_matrix_picture(
    names: Sequence[str], cells: Mapping[tuple[str, str], PairCell], labels: Mapping[str, str], *, description: str
) -> str:
    """SVG markup; dyes in rows, detectors in columns, empty where no cell says anything.

    Parameters
    ----------
    names
        Channels in the matrix' order.
    cells
        By dye and detector.
    labels
        What stands for a channel, usually its marker.
    """
    # The last column's name leans out to the right.
    width = _LEFT + _CELL_WIDTH * len(names) + 44
    height = _TOP + _CELL_HEIGHT * len(names) + 4
    body = []
    for k, name in enumerate(names):
        text = escape(_short(labels.get(name) or name))
        x, y = _LEFT + _CELL_WIDTH * (k + 0.5), _TOP + _CELL_HEIGHT * (k + 0.5)
        body.append(f'<text text-anchor="end" x="{_LEFT - 5:g}" y="{y + 3.5:.1f}">{text}</text>')
        body.append(f'<text transform="translate({x + 3:.1f} {_TOP - 5:g}) rotate(-50)">{text}</text>')
    for row, source in enumerate(names):
        for column, target in enumerate(names):
            place = (_LEFT + _CELL_WIDTH * column, _TOP + _CELL_HEIGHT * row)
            body.append(_cell(place, cells.get((source, target)), is_diagonal=row == column))
    return (
        f'<svg class="fig" viewBox="0 0 {width:g} {height:g}" style="max-width:{width * 1.25:.0f}px;min-width:420px" '
        f'font-size="10.5" fill="{INK}" role="img" aria-label={quoteattr(description)}>{"".join(body)}</svg>'
    )


def _cell(place: tuple[float, float], cell: PairCell | None, *, is_diagonal: bool) -> str:
    x, y = place
    wrong = cell is not None and cell.verdict in ("under", "over")
    fill = RULE if is_diagonal else ALERT if wrong else "none"
    box = (
        f'<rect x="{x:g}" y="{y:g}" width="{_CELL_WIDTH:g}" height="{_CELL_HEIGHT:g}" fill="{fill}" '
        f'stroke="{RULE}" stroke-width="0.7"/>'
    )
    if cell is None or is_diagonal:
        return box
    unsure = cell.verdict == "cannot tell"
    text = "?" if unsure else f"{cell.points:+.1f}".replace("-", "−")
    style = f'fill="{"white" if wrong else MUTED}"' + (' font-weight="700"' if wrong else "")
    return (
        f'{box}<text text-anchor="middle" {style} x="{x + _CELL_WIDTH / 2:g}" y="{y + _CELL_HEIGHT / 2 + 3.6:g}">'
        f"{text}</text>"
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
