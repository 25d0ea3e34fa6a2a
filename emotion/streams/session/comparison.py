"""Two sessions, or two faces of one, side by side: one HTML file that needs nothing else."""

from dataclasses import dataclass
from html import escape

from emotion.errors import SessionError
from emotion.streams.report import about, document, legend
from emotion.streams.session.differences import UNCERTAIN, UNFIT, Difference, differences
from emotion.streams.session.saved import SavedSession
from emotion.streams.session.watched import Watched


@dataclass(frozen=True)
class Side:
    """One of two that are compared.

    Attributes
    ----------
    name : str, such as the name of its file
    session : SavedSession
    face : int, the number of the face; None for the one that was seen longest
    """

    name: str
    session: SavedSession
    face: int | None = None


def comparison_html(first: Side, second: Side) -> str:
    """Write a report on two sessions, or two faces, side by side.

    Parameters
    ----------
    first, second : Side

    Returns
    -------
    str, an HTML document, under 2 MB; it names no other file and no address, and has no script

    Raises
    ------
    SessionError
        If nobody was seen in one of them, or not the face that is asked for, or they have other expressions.
    """
    sides = [(side, *_watched(side)) for side in (first, second)]
    (_, one, one_face), (_, other, other_face) = sides
    one_seen, other_seen = one.seen(one_face), other.seen(other_face)
    if one_seen is None or other_seen is None:
        raise ValueError("a face that was found was not seen")
    found = differences(one_seen, other_seen)
    charts = "".join(
        f'<div><h2>{escape(side.name)}</h2><p class="soft">{escape(watched.told())}</p>'
        f"{watched.chart(number, chart=letter)}{watched.list_of_marks()}</div>"
        for letter, (side, watched, number) in zip("ab", sides, strict=True)
    )
    session = first.session
    body = [
        f"<h1>Facial expressions: {escape(first.name)} and {escape(second.name)}</h1>",
        *_notes(first, second),
        _table(found, first, second),
        f'<div class="two">{charts}</div>',
        legend(session.classes),
        about(session.classes, session.model_names, session.voted_by, session.smoothed),
    ]
    return document(f"Facial expressions: {first.name} and {second.name}", body)


def _watched(side: Side) -> tuple[Watched, int]:
    session = side.session
    watched = Watched.of(
        session.moments,
        session.classes,
        smoothed=session.smoothed,
        lasts=session.interval_seconds,
        marks=session.marks,
        pauses=session.pauses,
    )
    if not watched.found:
        raise SessionError(f"In {side.name} nobody was seen, so there is nothing to compare: choose another session.")
    number = next(iter(watched.found)) if side.face is None else side.face
    if number not in watched.found:
        raise SessionError(f"In {side.name} there is no face {number}: choose one of its faces.")
    return watched, number


def _notes(first: Side, second: Side) -> list[str]:
    one, other = first.session, second.session
    notes = []
    if one.fingerprint != other.fingerprint:
        notes.append(
            f"Other models voted on each: {one.voted_by} and {other.voted_by}. What differs may be theirs."
            if one.voted_by != other.voted_by
            else "Other models voted on each, though they have the same name. What differs may be theirs."
        )
    if (one.smoothed, one.smoothing_seconds) != (other.smoothed, other.smoothing_seconds):
        notes.append("Votes were smoothed in another way in each.")
    return [f"<p><strong>Note:</strong> {escape(note)}</p>" for note in notes]


def _table(found: dict[str, Difference], first: Side, second: Side) -> str:
    different = [name for name, difference in found.items() if difference.differs]
    named = ", ".join(different[:-1]) + " and " * (len(different) > 1) + different[-1] if different else ""
    told = (
        f"More different than chance has it: {named}." if different else "Nothing differs by more than chance has it."
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(_shown(name))}</th><td>{row.first:.1%}</td><td>{row.second:.1%}</td>'
        f"<td>{_points(row.difference)}</td><td>{_points(row.low)} to {_points(row.high)}</td>"
        f'<td class="word">{"differs" if row.differs else "may be chance"}</td></tr>'
        for name, row in found.items()
    )
    return (
        f'<h2>Shares of the time</h2><p>{escape(told)}</p><div class="scroll" tabindex="0" role="region" '
        'aria-label="Shares of both"><table><thead><tr><th scope="col">Expression</th>'
        f'<th scope="col" class="given">{escape(first.name)}</th>'
        f'<th scope="col" class="given">{escape(second.name)}</th>'
        '<th scope="col">Difference</th><th scope="col">lies between</th><th scope="col" class="word">Verdict</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
        '<p class="soft">Differences in percentage points. A difference counts only where its range leaves out nought. '
        f"The ranges allow for {len(found)} shares that are looked at (Bonferroni): of 100 such pairs, all ranges hold "
        "at once in 95. They take both to be independent, which two people who look at each other are not.</p>"
    )


def _shown(name: str) -> str:
    return {UNCERTAIN: "Uncertain", UNFIT: "Not fit to be judged"}.get(name, name)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\u2212") if round(100 * share, 1) else "0.0"
