"""The drawings of the part: the way of a face to its vote, and bars. They are light on light ground, and dark on dark.

Bars are HTML, whose letters stay as large as those of the page on a phone, and take its colours; the way is SVG, which
takes the colours of the page by its style.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from emotion import config
from emotion.page.face.drawings import drawn_face

WIDTH: Final = 360
"""Pixels of the drawn way: what a phone has."""
_HEIGHT: Final = 520

_STYLE: Final = """<style>
.line, .box { stroke: #555; fill: none } .box { fill: #8882 } .tip { fill: #555 }
.found { stroke: #0072b2; stroke-width: 3; fill: none } .slip { stroke: #0072b2; fill: #0072b222 }
.tick { stroke: #0072b2; stroke-width: 3; fill: none } text { fill: #222; text-anchor: middle; font: 13px sans-serif }
@media (prefers-color-scheme: dark) {
.line, .box { stroke: #bbb } .tip { fill: #bbb } text { fill: #eee } .slip, .tick { stroke: #56b4e9 }
}
</style>"""
"""Its classes are those of shapes drawn here alone: the drawn face has colours of its own, for light and dark."""


def way_told(*, has_networks: bool) -> str:
    """Say what the drawn way shows.

    Parameters
    ----------
    has_networks : bool

    Returns
    -------
    str
    """
    seen = "three networks look at it" if has_networks else "its pixels are taken as they are, three times"
    return (
        f"The way of a face: a picture; its face, cut out as 48 x 48 grey pixels; {seen}; five models stand behind "
        "these, two, two and one; each gives one ballot; the five ballots make one vote."
    )


def way(*, has_networks: bool) -> str:
    """Draw how a picture comes to its vote, from above to below.

    Parameters
    ----------
    has_networks : bool, whether models stand on networks, and not on pixels

    Returns
    -------
    str, an SVG drawing, `WIDTH` pixels wide
    """
    shapes = []

    def arrow(x: int, y: int, to_x: int, to_y: int) -> None:
        shapes.append(f'<line class="line" x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y - 2}" marker-end="url(#tip)"/>')

    def box(x: int, y: int, width: int, *lines: str) -> None:
        height = 14 + 16 * len(lines)
        shapes.append(
            f'<rect class="box" x="{x - width // 2}" y="{y}" width="{width}" height="{height}" rx="6"/>'
            + "".join(f'<text x="{x}" y="{y + 20 + 16 * row}">{line}</text>' for row, line in enumerate(lines))
        )

    shapes.append(
        '<rect class="box" x="120" y="6" width="120" height="84" rx="4"/>'
        f'<g transform="translate(142 12) scale(.62)">{drawn_face("Happy")}</g>'
        '<rect class="found" x="148" y="16" width="62" height="68"/>'
        '<text x="298" y="52">a picture</text>'
    )
    arrow(180, 90, 180, 112)
    shapes.append(
        _pixels(150, 112) + '<text x="290" y="138">its face, 48 x 48</text><text x="290" y="154">grey pixels</text>'
    )
    slips = {}
    for number, x in ((1, 72), (2, 212), (3, 317)):
        arrow(180, 174, x, 212)
        box(x, 212, 80, f"network {number}" if has_networks else "pixels")
        names = config.MODELS_OF_PIPELINE[number]
        for place, name in zip((x - 35, x + 35) if len(names) > 1 else (x,), names, strict=True):
            arrow(x, 242, place, 288)
            lines = _in_lines(name)
            box(place, 288, 64, *lines)
            arrow(place, 302 + 16 * len(lines), place, 366)
            slips[name] = place
    for place in slips.values():
        shapes.append(
            f'<rect class="slip" x="{place - 20}" y="366" width="40" height="48"/>'
            f'<path class="tick" d="M{place - 9} 390 l7 8 l12 -16"/>'
        )
        arrow(place, 414, 180 + (place - 180) // 2, 480)
    shapes.append('<text x="40" y="474">five ballots</text>')
    box(180, 480, 250, "vote: what most of the five say")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_HEIGHT}" width="{WIDTH}" '
        f'height="{_HEIGHT}">{_STYLE}<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{''.join(shapes)}</svg>"
    )


def _in_lines(name: str) -> tuple[str, ...]:
    """Break the name of a model where it would not fit into its box, as ``model_boost_1``."""
    first, _, rest = name.partition("_")
    return (f"{first}_", rest) if "_" in rest else (name,)


def _pixels(x: int, y: int) -> str:
    """Draw a face in coarse pixels, 60x60."""
    rows = ("00111100", "01222210", "12122121", "12222221", "12122121", "12211221", "01222210", "00111100")
    greys = ("#9a9a9a", "#4a4a4a", "#e0e0e0")
    return "".join(
        f'<rect x="{x + 7.5 * column}" y="{y + 7.5 * row}" width="7.5" height="7.5" '
        f'style="fill:{greys[int(grey)]};stroke:none"/>'
        for row, line in enumerate(rows)
        for column, grey in enumerate(line)
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart.

    Attributes
    ----------
    name : str
    share : float, 0-1, optional: its length; None for no bar
    told : str, the number beside it
    low, high : float, 0-1, the ends of a thin line across it; equal where there is none
    mark : float, 0-1, optional: where an upright line stands
    """

    name: str
    share: float | None
    told: str
    low: float = 0.0
    high: float = 0.0
    mark: float | None = None


def bars(rows: Sequence[Bar], alt: str) -> str:
    """Draw a chart of horizontal bars from 0 to 100 %.

    Parameters
    ----------
    rows : sequence of Bar
    alt : str, what the chart shows, for those who do not see it

    Returns
    -------
    str, HTML
    """
    return (
        f'<div role="img" aria-label="{escape(alt)}" style="display: grid; grid-template-columns: fit-content(9rem) '
        "minmax(4rem, 1fr) max-content; gap: 0.3rem 0.6rem; align-items: center; font-size: 0.875rem; "
        f'max-width: 36rem">{"".join(map(_bar, rows))}</div>'
    )


def _bar(row: Bar) -> str:
    inner = ""
    if row.share is not None:
        inner += _piece(0, row.share, "top: 0; bottom: 0; background: #0072b2; opacity: 0.6")
    if row.high > row.low:
        inner += _piece(row.low, row.high, "top: calc(50% - 1px); height: 2px; background: currentColor")
    if row.mark is not None:
        inner += f'<span style="position: absolute; left: calc({row.mark:.1%} - 2px); top: -2px; bottom: -2px; '
        inner += 'width: 4px; background: #d55e00"></span>'
    return (
        f'<span style="overflow-wrap: anywhere">{escape(row.name)}</span>'
        f'<span style="position: relative; height: 1.1rem; background: #8883">{inner}</span>'
        f'<span style="text-align: right">{escape(row.told)}</span>'
    )


def _piece(start: float, end: float, style: str) -> str:
    return f'<span style="position: absolute; left: {start:.1%}; width: {end - start:.1%}; {style}"></span>'
