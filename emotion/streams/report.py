"""Votes over time as a report: one HTML file that needs nothing else, to be kept, printed or sent."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from emotion import config
from emotion.streams.course import Course, Span, clock, time_marks
from emotion.streams.drawing import expression_colour
from emotion.streams.record import LAST_SECONDS, Moment, Summary, summaries

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
.course .share { width: 4rem; padding-left: .5rem; }
.course thead .name { font-weight: 600; }
.course td, .course thead th { text-align: right; }
.course thead th:nth-child(-n+2) { text-align: left; }
svg { display: block; width: 100%; height: 1.7rem; background: var(--empty); }
.band { position: relative; }
.band svg { height: 2.2rem; }
.band span { position: absolute; top: .3rem; overflow: hidden; white-space: nowrap; text-align: center;
  font-size: .8rem; pointer-events: none; }
.doubt { fill: var(--doubt); }
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

    Returns
    -------
    str, an HTML document, under 2 MB however long the film is; it names no other file and no address, and has no script
    """
    found = summaries(moments, smoothed=smoothed, lasts=lasts)
    span = Span(moments[0].seconds, moments[-1].seconds + lasts) if moments else Span(0.0, lasts)
    drawn = list(found)[:MOST_DRAWN]
    charts = [_chart(number, found[number], moments, classes, span, smoothed) for number in drawn]
    body = [
        f"<h1>Facial expressions: {escape(title)}</h1>",
        f'<p class="soft">{escape(_subtitle(moments, found, span))}</p>',
        *(f"<p><strong>Note:</strong> {escape(note)}</p>" for note in notes),
        *([_overview(found), _legend(classes)] if found else ["<p>No face was found.</p>"]),
        *charts,
        _about(classes, model_names, voted_by, smoothed),
    ]
    document = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Facial expressions: {escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )
    # Names of files that are not UTF-8 have surrogates, which no file can be written with.
    return document.encode("utf-8", "backslashreplace").decode("utf-8")


def _subtitle(moments: Sequence[Moment], found: Mapping[int, Summary], span: Span) -> str:
    if not moments:
        return "There was no vote."
    faces = "1 face" if len(found) == 1 else f"{len(found):,} faces"
    votes = "once" if len(moments) == 1 else f"{len(moments):,} times"
    begun = f", begun {moments[0].utc:%Y-%m-%d %H:%M} UTC" if moments[0].utc else ""
    return f"{faces}, looked at {votes} from {clock(span.start)} to {clock(span.end)} (minutes:seconds){begun}"


def _overview(found: Mapping[int, Summary]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{number}</th><td>{clock(sum_.first_seconds)}–{clock(sum_.last_seconds)}</td>'
        f'<td>{_length(sum_.seconds)}</td><td class="word">{escape(_most(sum_))}</td><td>{sum_.changes:,}</td>'
        f'<td class="word">{escape(sum_.longest_label)}, {_length(sum_.longest_seconds)}</td>'
        f"<td>{sum_.uncertain:.1%}</td></tr>"
        for number, sum_ in list(found.items())[:MOST_LISTED]
    )
    left = list(found.values())[MOST_LISTED:]
    rest = (
        f'<p class="soft">{len(left):,} further faces are not listed; none of them was seen for longer than '
        f"{_length(left[0].seconds)}.</p>"
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


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{clock(seconds)} min" if seconds < 3600 else f"{clock(seconds)} h"


def _when(summary: Summary) -> str:
    first, last = clock(summary.first_seconds), clock(summary.last_seconds)
    return f"at {first}" if first == last else f"between {first} and {last}"


def _most(summary: Summary) -> str:
    label, share = next(iter(summary.shares.items()))
    return f"{label}, {share:.1%}"


def _legend(classes: Sequence[str]) -> str:
    keys = "".join(
        f'<li><span class="key" style="background:{expression_colour(i)}"></span>{escape(label)}</li>'
        for i, label in enumerate(classes)
    )
    return (
        f'<h2>Colours</h2><ul class="legend">{keys}'
        '<li><span class="key" style="background:var(--doubt)"></span>grey ground: uncertain</li></ul>'
        '<p class="soft">The band shows the expression that was elected; where that is uncertain, it is low, on grey. '
        "Below, the higher an area, the more probable the expression. Where nothing is drawn, the face was not seen."
        "</p>"
    )


def _chart(
    number: int, summary: Summary, moments: Sequence[Moment], classes: Sequence[str], span: Span, smoothed: bool
) -> str:
    course = Course.of(number, moments, classes, span, smoothed)
    doubts = ", ".join(f"{why} {share:.1%}" for why, share in summary.doubts.items())
    said = (
        f"Seen for {_length(summary.seconds)}, {_when(summary)}. Changes: {summary.changes:,}. Longest stretch: "
        f"{summary.longest_label}, {_length(summary.longest_seconds)}. Uncertain: {summary.uncertain:.1%} of the time"
        f"{f' ({doubts})' if doubts else ''}."
    )
    rows = "".join(
        f'<tr><th scope="row" class="name"><span class="key" style="background:{expression_colour(i)}"></span>'
        f"{escape(label)}</th><td>{course.line(i, number)}</td>"
        f'<td class="share">{summary.shares.get(label, 0.0):.1%}</td></tr>'
        for i, label in enumerate(classes)
    )
    return (
        f'<section><h2>Face {number}</h2><p>{escape(said)}</p><table class="course"><thead><tr>'
        '<th scope="col" class="name">Expression</th><th scope="col">Over time</th>'
        f'<th scope="col" class="share">Share</th></tr></thead><tbody><tr><th scope="row" class="name">Vote</th>'
        f'<td class="band">{course.band(number, summary)}</td><td></td></tr>{rows}</tbody>'
        f'<tfoot><tr><td></td><td><div class="times" aria-hidden="true">{time_marks(span)}</div></td><td></td></tr>'
        "</tfoot></table></section>"
    )


def _about(classes: Sequence[str], model_names: Sequence[str], voted_by: str, smoothed: bool) -> str:
    smooth = " Votes are smoothed: what was said in the seconds before still counts." if smoothed else ""
    paragraphs = [
        f"The set of models is called <strong>{escape(voted_by)}</strong>: {escape(', '.join(model_names))}. Each of "
        "them looks at one picture of a face at a time, 48 x 48 grey pixels, and says which expression people would "
        f"see in it: {escape(', '.join(classes))}. What most of them say is the vote.{smooth}",
        "A vote is uncertain where its expression is not probable enough, or where the face is not fit to be judged: "
        "too small, blurred, too dark or turned away.",
        "They do not hear what is said, do not know what happened before, and are often wrong: their model card tells "
        "how often each expression is missed. That was not measured by age, sex or origin.",
        "<strong>An expression is not a feeling.</strong> A smile may be polite, a frown may be the sun. Do not use "
        "this to judge anyone. The European Union's AI Act (Regulation 2024/1689) forbids systems that infer the "
        "emotions of people at work or in education (Article 5(1)(f)), and wants people told when a system reads their "
        "emotions (Article 50).",
        "Faces are told apart by their places and, after a cut, by the colours of hair and clothes: somebody may have "
        "two numbers, and two people may share one.",
    ]
    return (
        "<h2>What this is, and what it is not</h2>"
        + "".join(f"<p>{text}</p>" for text in paragraphs)
        + f"<footer><p>Made by emotion {escape(_version())} on {datetime.now().astimezone():%Y-%m-%d}.</p></footer>"
    )


def _version() -> str:
    try:
        return version("emotion")
    except PackageNotFoundError:  # a clone, which is not installed
        project = tomllib.loads((config.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])
