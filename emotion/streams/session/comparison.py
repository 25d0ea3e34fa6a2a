"""Two sessions, or two faces of one, side by side: one HTML file that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from emotion.errors import SessionError
from emotion.streams.report import about, document, legend
from emotion.streams.session.differences import UNCERTAIN, UNFIT, Difference, differences
from emotion.streams.session.percents import percents
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
    check_comparable(first.session.classes, second.session.classes)
    sides = [(side, *_watched(side)) for side in (first, second)]
    (_, one, one_face), (_, other, other_face) = sides
    one_seen, other_seen = one.seen(one_face), other.seen(other_face)
    if one_seen is None or other_seen is None:
        raise ValueError("a face that was found was not seen")
    found = differences(one_seen, other_seen)
    charts = "".join(
        f'<div><h2>{escape(side.name)}</h2><p class="soft">{escape(watched.told())}</p>'
        f"{watched.chart(number, chart=letter)}{watched.list_of_marks(side.name)}</div>"
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


def check_comparable(first: Sequence[str], second: Sequence[str]) -> None:
    """Refuse to compare sessions of other expressions.

    Parameters
    ----------
    first, second : sequence of str, the classes of each

    Raises
    ------
    SessionError
        If they are not the same, in whatever order.
    """
    if set(first) != set(second):
        raise SessionError("The two sessions have other expressions, so they cannot be compared: choose another one.")


def _watched(side: Side) -> tuple[Watched, int]:
    watched = side.session.watched()
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
        f"Different by more than chance explains: {named}."
        if different
        else "Nothing differs by more than chance explains."
    )
    first_told, second_told = (_written(found, second=second) for second in (False, True))
    rows = "".join(
        f'<tr><th scope="row">{escape(_shown(name))}</th><td>{first_told[name]}</td><td>{second_told[name]}</td>'
        f"<td>{_points(_number(second_told[name]) - _number(first_told[name]))}</td>"
        f"<td>{_points(row.low)} to {_points(row.high)}</td>"
        f'<td class="word">{"differs" if row.differs else "may be chance"}</td></tr>'
        for name, row in found.items()
    )
    return (
        f'<h2>Shares of the time</h2><p>{escape(told)}</p><div class="scroll" tabindex="0" role="region" '
        'aria-label="Shares of both"><table><thead><tr><th scope="col">Expression</th>'
        f'<th scope="col" class="given">{escape(first.name)}</th>'
        f'<th scope="col" class="given">{escape(second.name)}</th>'
        '<th scope="col">Second minus first</th><th scope="col">lies between</th>'
        '<th scope="col" class="word">Verdict</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
        '<p class="soft">Differences are in percentage points. One counts only where its range leaves out zero. Of '
        f"{len(found)} shares that are looked at, one may easily differ by chance; the ranges are so wide that of 100 "
        "such pairs, all of them hold in 95 (Bonferroni's correction). Both sides are taken to be independent; two "
        "people who look at each other are not.</p>"
    )


def _written(found: dict[str, Difference], *, second: bool) -> dict[str, str]:
    """Write the shares of one side, as its report does: those of the expressions are of one whole."""
    shares = {name: row.second if second else row.first for name, row in found.items()}
    others = {name: f"{shares.pop(name):.1%}" for name in (UNCERTAIN, UNFIT)}
    return percents(shares, 1) | others


def _shown(name: str) -> str:
    return {UNCERTAIN: "Uncertain", UNFIT: "Not fit to be judged"}.get(name, name)


def _number(told: str) -> float:
    """Read a share that was written: what stands beside it is the difference of what is written."""
    return float(told.rstrip("%")) / 100


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\u2212") if round(100 * share, 1) else "0.0"
