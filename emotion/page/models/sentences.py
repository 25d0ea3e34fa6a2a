"""What was measured of models, in sentences. Plain texts: names of classes stand in them as they are."""

from collections.abc import Iterable
from typing import Final

from emotion.faces.fitness import LEAST_JUDGED_SIDE, MOST_TURN
from emotion.vote.measured.reading import CROSSED, PEOPLE, ClassCount, Elsewhere, Measured, Reliability, Tried
from emotion.vote.measured.shares import FEW, HARDLY_ANY, interval

_FAR: Final = 0.03
"""What votes claim and how often they are right differ by less than this without a word."""


_NEARLY: Final = 0.995
"""More than this would be told as 100 of 100."""


def of_hundred(right: float, of: int) -> str:
    """Say a share as a count: of a hundred, or, of few faces, of these.

    Parameters
    ----------
    right : float, 0 <= `right` <= `of`
    of : int, above 0

    Returns
    -------
    str, as in ``80 of 100`` or ``33 of 36``
    """
    return f"{100 * right / of:.0f} of 100" if of >= FEW else f"{right:,.0f} of {of:,}"


def with_interval(right: int, of: int, independent: float = 1.0) -> str:
    """Say a share, and between which shares the true one lies (95 %).

    Parameters
    ----------
    right, of : int, 0 <= `right` <= `of`, `of` above 0
    independent : float, 0-1, as in `emotion.vote.measured.shares.interval`

    Returns
    -------
    str, as in ``80% (79 to 82)``; of fewer than `FEW` faces as in ``33 of 36 (78 to 97%)``
    """
    low, high = interval(right, of, independent)
    if of < FEW:
        return f"{right} of {of} ({100 * low:.0f} to {high:.0%})"
    return f"{right / of:.0%} ({100 * low:.0f} to {100 * high:.0f})"


def found(count: ClassCount, part: str) -> str:
    """Say of the faces of one class how many votes find, and what most others are called.

    Parameters
    ----------
    count : ClassCount
    part : str, as in `Tried.part`

    Returns
    -------
    str, a sentence
    """
    kind = f"{'that most people call' if part == PEOPLE else 'labelled'} {count.label}"
    if not count.faces:
        return f"There was no face {kind}."
    of = 100 if count.faces >= FEW else count.faces
    which = "only " if of < HARDLY_ANY else "" if of == 100 else "the "
    shares = [(round(of * n / count.faces), label) for label, n in count.taken_for]
    most = sorted(shares, key=lambda pair: -pair[0])[:2]  # of equal ones, the first class first, as on the card
    calls = " and ".join(f"{n} {label}" for n, label in most if n)
    hits = round(of * count.right / count.faces)
    rest = f", and calls {calls}" if calls else ""
    return f"Of {which}{of} {'face' if of == 1 else 'faces'} {kind} it finds {hits or 'none'}{rest}."


def overall(measured: Measured) -> list[str]:
    """Say how good models are, all in all, and how that was measured.

    Parameters
    ----------
    measured : Measured

    Returns
    -------
    list of str, sentences
    """
    tried = measured.tried
    if tried is None:
        return [f"How good these models are was not measured. {measured.why}".strip()]
    if measured.by == "cross-validation" or tried.part == CROSSED:
        how = (
            f"There were too few faces to set some aside. So models like these were tried on all {tried.faces:,}, each "
            "time on faces that they had not learnt from (cross-validation)."
        )
    else:
        people = ", and of which ten people had said what they see" if tried.part == PEOPLE else ""
        how = f"Tried on {tried.faces:,} faces that were set aside before anything was learnt{people}."
    right = f"The vote is right on {of_hundred(tried.right, tried.faces)}."
    if tried.by_habit is not None:
        habit = of_hundred(round(tried.by_habit * tried.faces), tried.faces)
        right = f"{right[:-1]}; somebody who always says the commonest expression, on {habit}."
    told = [how, right]
    if len([count for count in tried.classes if count.faces]) == 1:
        told.append("All of these faces are of one expression: that says nothing of the others.")
    if tried.faces < FEW:
        told.append("So few faces tell little: the true shares lie within wide ranges.")
    if measured.other is not None:
        told.append(f"{_by_other_labels(measured.other)} it is right on {_faces(measured.other)}.")
    return told


def _by_other_labels(other: Tried) -> str:
    if other.part == PEOPLE:
        return "Judged by what most of ten people see in such faces,"
    return "Judged by the labels that the data set came with, on which people often disagree,"


def _faces(tried: Tried) -> str:
    return of_hundred(tried.right, tried.faces) + (f" ({tried.faces:,} faces)" if tried.faces >= FEW else "")


def elsewhere(of: Elsewhere) -> str:
    """Say how the whole way from picture to vote did on pictures of another kind.

    Parameters
    ----------
    of : Elsewhere

    Returns
    -------
    str, sentences
    """
    missed, in_which = of.pictures - of.found, of_hundred(of.found, of.pictures)
    if of.found / of.pictures > _NEARLY:
        in_which = f"all but {missed}" if missed else "all"
    return (
        f"{of.pictures:,} pictures. A face was found in {in_which}. Of the faces that were found, the vote is right on "
        f"{of_hundred(of.right, of.found)}; it claims {of.claimed:.0%} on average."
    )


def doubts(measured: Measured) -> list[str]:
    """Say when votes are not to be trusted.

    Parameters
    ----------
    measured : Measured

    Returns
    -------
    list of str, sentences
    """
    return [
        *_least_believed(measured.tried),
        *_claims(measured),
        *_uncertain(measured),
        f"A face that is smaller than {LEAST_JUDGED_SIDE} pixels, turned away by more than {MOST_TURN:.0f} degrees, "
        "blurred or too dark is not fit to be judged: its vote is called uncertain, whatever it claims.",
        *_other_kinds(measured),
        "How good they are for people of one age, sex or origin was not measured.",
    ]


def _least_believed(tried: Tried | None) -> Iterable[str]:
    """Of which class votes are right least often, and of which most."""
    enough = [count for count in tried.classes if count.voted >= HARDLY_ANY] if tried else []
    if len(enough) > 1:
        order = sorted(enough, key=lambda count: count.right / count.voted)
        least, most = order[0], order[-1]
        yield (
            f"A vote for {least.label} is the least to be believed: {of_hundred(least.right, least.voted)} such votes "
            f"were right. One for {most.label} is the most: {of_hundred(most.right, most.voted)}."
        )


def _claims(measured: Measured) -> Iterable[str]:
    held = measured.reliability
    if held is None:
        yield "How often votes are right that claim a probability was not measured."
        return
    right = f"{held.right:.0%} of people see the same" if measured.of_people else f"{held.right:.0%} are right"
    yield f"On the faces of the test, votes claim {held.claimed:.0%} on average, and {right}.{_tendency(held)}"


def _tendency(held: Reliability) -> str:
    if held.claimed - held.right > _FAR:
        return " They are too sure."
    return " They are right more often than they claim." if held.right - held.claimed > _FAR else ""


def _uncertain(measured: Measured) -> Iterable[str]:
    if measured.uncertain_below is None:
        few = f": {measured.validation:,} faces are too few" if measured.validation is not None else ""
        yield f"How sure they may be could not be measured{few}. No vote is called uncertain for a low probability."
        return
    held, bound = measured.reliability, f"{measured.uncertain_below:.0%}"
    if held is None:
        yield f"Votes that claim less than {bound} are called uncertain."
        return
    if held.uncertain in (0.0, 1.0):
        of_test = "all" if held.uncertain else "none"
        yield f"Votes that claim less than {bound} are called uncertain: {of_test} of the test were."
        return
    rates = f"{100 * held.uncertain_right:.0f}", f"{100 * held.certain_right:.0f}"
    right = (
        "Of 100 people {} see what such a vote says, and {} what the other votes say."
        if measured.of_people
        else "Of 100 such votes {} are right, of 100 others {}."
    )
    yield (
        f"Votes that claim less than {bound} are called uncertain: {100 * held.uncertain:.0f} of 100. "
        f"{right.format(*rates)}"
    )


def _other_kinds(measured: Measured) -> Iterable[str]:
    if not measured.elsewhere:
        yield "On other kinds of pictures they were not tried: expect them to be right less often there."
        return
    order = sorted(measured.elsewhere, key=lambda of: of.right / of.found)
    yield (
        "On other kinds of pictures they may be right less often: "
        + "; ".join(f"{of.name}, {of_hundred(of.right, of.found)}" for of in order)
        + "."
    )
    too_sure = [of for of in order if of.claimed - of.right / of.found > _FAR]
    if too_sure:
        yield (
            "There they can be too sure: "
            + "; ".join(
                f"on {of.name} they claim {of.claimed:.0%} on average, {of.right / of.found:.0%} are right"
                for of in too_sure
            )
            + "."
        )
