"""Votes over time as a report: one HTML file that needs nothing else, to be kept, printed or sent."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from emotion import config
from emotion.streams.course import clock
from emotion.streams.drawing import expression_colour
from emotion.streams.record import LAST_SECONDS, Moment, Summary
from emotion.streams.session.marks import Pause, TimeMark
from emotion.streams.session.percents import percents
from emotion.streams.session.watched import Watched, length

MOST_DRAWN: Final = 12
"""Faces that have a chart: those that were seen longest."""
MOST_LISTED: Final = 200
"""Faces that have a row in the table."""
_STYLE: Final = """
:root { color-scheme: light dark; --ground: #fff; --text: #1c1c1c; --soft: #5a5a5a; --line: #d4d4d4; --doubt: #e2e2e2;
  --empty: #f6f6f6; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --text: #ececec; --soft: #aaa; --line: #3b3e43;
  --doubt: #3a3d42; --empty: #1d2024; } }
@media print { :root { --ground: #fff; --text: #000; --soft: #444; --line: #bbb; --doubt: #e2e2e2; --empty: #f6f6f6; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 62rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; }
p, ul { margin: .4rem 0; max-width: 44rem; }
.soft, footer { color: var(--soft); font-size: .875rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; overflow-wrap: normal; }
.scroll th, .scroll td { white-space: nowrap; }
.course .name, th.word, td.word { text-align: left; }
th, td { padding: .25rem .9rem .25rem 0; text-align: right; vertical-align: top; font-variant-numeric: tabular-nums;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
th:first-child { text-align: left; }
.course { table-layout: fixed; margin-top: .5rem; }
.course th, .course td { padding: 3px 0; vertical-align: middle; border: 0; }
.course .name { width: 7rem; padding-right: .5rem; font-weight: 400; overflow-wrap: anywhere; line-height: 1.15; }
.course .share { width: 4.6rem; padding-left: .5rem; }
.course thead .name { font-weight: 600; }
.course td, .course thead th { text-align: right; }
.course thead th:nth-child(-n+2) { text-align: left; }
svg { display: block; width: 100%; height: 1.7rem; background: var(--empty); }
.band { position: relative; }
.band svg { height: 2.2rem; }
.band span { position: absolute; top: .3rem; overflow: hidden; white-space: nowrap; text-align: center;
  font-size: .8rem; pointer-events: none; }
.doubt { fill: var(--doubt); }
.mark { stroke: var(--text); stroke-width: 1.5px; stroke-dasharray: 4 3; fill: none;
  vector-effect: non-scaling-stroke; }
.course .share small { display: block; color: var(--soft); line-height: 1; }
.course td.word { font-size: .8rem; color: var(--soft); text-align: left; }
.scroll th.given { white-space: normal; overflow-wrap: anywhere; min-width: 6rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 2rem; }
.times { position: relative; height: 1.3rem; font-size: .75rem; color: var(--soft); }
.times span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.times span:first-child { transform: none; }
.key { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -.05rem; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .875rem; }
section, .course { break-inside: avoid; }
@media (max-width: 600px) { .course .name { width: 5.6rem; font-size: .8rem; } .course .share { width: 3.8rem; }
  .band span, .times span:nth-child(even) { display: none; } }
"""


def report_html(
    title: str,
    moments: Sequence[Moment],
    classes: Sequence[str],
    model_names: Sequence[str],
    voted_by: str,
    *,
    smoothed: bool = True,
    lasts: float = LAST_SECONDS,
    notes: Sequence[str] = (),
    marks: Sequence[TimeMark] = (),
    pauses: Sequence[Pause] = (),
) -> str:
    """Write a report on a film or a session.

    Parameters
    ----------
    title : str, what it is on, such as the name of a film
    moments : sequence of Moment, oldest first
    classes : sequence of str
    model_names : sequence of str
    voted_by : str, the name of the set of models
    smoothed : bool, whether smoothed votes are shown, or those that the models gave
    lasts : float, seconds, > 0, for which the labels of the last moment hold; the time between votes
    notes : sequence of str, sentences on what a reader should know, such as that a film ends too early
    marks : sequence of TimeMark, oldest first, that stand in the charts
    pauses : sequence of Pause, oldest first, that are left out

    Returns
    -------
    str, an HTML document, under 2 MB however long the film is; it names no other file and no address, and has no script
    """
    seen = Watched.of(moments, classes, smoothed=smoothed, lasts=lasts, marks=marks, pauses=pauses)
    found = seen.found
    charts = [seen.chart(number) for number in list(found)[:MOST_DRAWN]]
    body = [
        f"<h1>Facial expressions: {escape(title)}</h1>",
        f'<p class="soft">{escape(seen.told())}</p>',
        *(f"<p><strong>Note:</strong> {escape(note)}</p>" for note in notes),
        *([_overview(found), legend(classes)] if found else ["<p>No face was found.</p>"]),
        seen.list_of_marks(),
        *charts,
        about(classes, model_names, voted_by, smoothed),
    ]
    return document(f"Facial expressions: {title}", body)


def document(title: str, body: Sequence[str]) -> str:
    """Put a document together.

    Parameters
    ----------
    title : str
    body : sequence of str, HTML

    Returns
    -------
    str, HTML that can be written as UTF-8
    """
    whole = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )
    # Names of files that are not UTF-8 have surrogates, which no file can be written with.
    return whole.encode("utf-8", "backslashreplace").decode("utf-8")


def _overview(found: Mapping[int, Summary]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{number}</th><td>{clock(sum_.first_seconds)}–{clock(sum_.last_seconds)}</td>'
        f'<td>{length(sum_.seconds)}</td><td class="word">{escape(_most(sum_))}</td><td>{sum_.changes:,}</td>'
        f'<td class="word">{escape(sum_.longest_label)}, {length(sum_.longest_seconds)}</td>'
        f"<td>{sum_.uncertain:.1%}</td></tr>"
        for number, sum_ in list(found.items())[:MOST_LISTED]
    )
    left = list(found.values())[MOST_LISTED:]
    rest = (
        f'<p class="soft">{len(left):,} further faces are not listed; none of them was seen for longer than '
        f"{length(left[0].seconds)}.</p>"
        if left
        else ""
    )
    undrawn = len(found) - MOST_DRAWN
    only = f" Charts are below for the first {MOST_DRAWN}." if undrawn > 0 else ""
    return (
        f'<h2>At a glance</h2><p class="soft">Each face has a number; the one that was seen longest is first.{only}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="All faces"><table>'
        '<thead><tr><th scope="col">Face</th><th scope="col">Between</th><th scope="col">Seen for</th>'
        '<th scope="col" class="word">Most of the time</th><th scope="col">Changes</th>'
        '<th scope="col" class="word">Longest stretch</th><th scope="col">Uncertain</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest}"
    )


def _most(summary: Summary) -> str:
    return f"{next(iter(summary.shares))}, {next(iter(percents(summary.shares, 1).values()))}"


def legend(classes: Sequence[str]) -> str:
    """Say what is drawn how.

    Parameters
    ----------
    classes : sequence of str

    Returns
    -------
    str, HTML
    """
    keys = "".join(
        f'<li><span class="key" style="background:{expression_colour(i)}"></span>{escape(label)}</li>'
        for i, label in enumerate(classes)
    )
    return (
        f'<h2>Colours</h2><ul class="legend">{keys}'
        '<li><span class="key" style="background:var(--doubt)"></span>grey ground: uncertain</li></ul>'
        '<p class="soft">The band shows the expression that was elected; where that is uncertain, it is low, on grey. '
        "Below, the higher an area, the more probable the expression. Where nothing is drawn, the face was not seen. "
        "Broken lines are marks.</p>"
        '<p class="soft">Below each share stands its range. What is recorded is a piece of something longer, and a '
        "short piece may mislead: of 100 such recordings, the ranges of 95 hold the share in the long run. A range is "
        "wide where an expression came and went seldom, however many votes there were.</p>"
    )


def about(classes: Sequence[str], model_names: Sequence[str], voted_by: str, smoothed: bool) -> str:
    """Say what such a document is, and what it is not.

    Parameters
    ----------
    classes, model_names : sequence of str
    voted_by : str, the name of the set of models
    smoothed : bool, whether smoothed votes are shown

    Returns
    -------
    str, HTML
    """
    smooth = " Votes are smoothed: those of the seconds before still count." if smoothed else ""
    paragraphs = [
        f"The set of models is called <strong>{escape(voted_by)}</strong>: {escape(', '.join(model_names))}. Each of "
        "them looks at one picture of a face at a time, 48 x 48 grey pixels, and says which expression people would "
        f"see in it: {escape(', '.join(classes))}. What most of them say is the vote.{smooth}",
        "A vote is uncertain where its expression is not probable enough, or where the face is not fit to be judged: "
        "too small, blurred, too dark or turned away.",
        "They do not hear what is said, do not know what happened before, and are often wrong: their model card tells "
        "how often each expression is missed. Whether that is the same for every age, sex and origin was not measured.",
        "<strong>An expression is not a feeling.</strong> A smile may be polite, a frown may be the sun. Do not use "
        "this to judge anyone. The European Union's AI Act (Regulation 2024/1689) forbids systems that infer the "
        "emotions of people at work or in education (Article 5(1)(f)), and wants people told when a system reads their "
        "emotions (Article 50).",
        "Faces are told apart by their places and, after a cut or an absence, by the colours of hair and clothes: "
        "somebody may have two numbers, and two people may share one.",
    ]
    return (
        "<h2>What this is, and what it is not</h2>"
        + "".join(f"<p>{text}</p>" for text in paragraphs)
        + f"<footer><p>Made by emotion {escape(program_version())} on {datetime.now().astimezone():%Y-%m-%d}.</p>"
        "</footer>"
    )


def program_version() -> str:
    """Give the version of this program.

    Returns
    -------
    str, such as ``2.0``
    """
    try:
        return version("emotion")
    except PackageNotFoundError:  # a clone, which is not installed
        project = tomllib.loads((config.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])
