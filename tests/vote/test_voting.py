"""The vote: what a user reads must be what most models said, and ties must not follow the alphabet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from emotion.vote.voting import Calibration, Vote, VoteSmoother, ballot_counts, count_votes, winners

CLASSES = ("Angry", "Fear", "Happy", "Sad")


@st.composite
def elections(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Some faces, one to seven models, two to seven classes; coarse probabilities, so that equal ones occur."""
    n_rows, n_models, n_classes = draw(st.integers(0, 8)), draw(st.integers(1, 7)), draw(st.integers(2, 7))
    ballots = draw(st_numpy.arrays(np.int64, (n_rows, n_models), elements=st.integers(0, n_classes - 1)))
    weights = draw(st_numpy.arrays(np.int64, (n_rows, n_classes), elements=st.integers(1, 4)))
    return ballots, weights / weights.sum(axis=1, keepdims=True)


@given(elections())
def test_no_class_has_more_ballots_than_the_elected_one(
    election: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    ballots, probabilities = election
    counts = ballot_counts(ballots, probabilities.shape[1])
    elected = winners(ballots, probabilities)
    assert (counts[np.arange(len(ballots)), elected] == counts.max(axis=1, initial=0)).all()


@given(elections())
def test_among_tied_classes_none_is_more_probable(election: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    ballots, probabilities = election
    counts = ballot_counts(ballots, probabilities.shape[1])
    for row, elected in enumerate(winners(ballots, probabilities)):
        tied = np.flatnonzero(counts[row] == counts[row].max())
        assert probabilities[row, elected] == probabilities[row, tied].max()


@given(elections(), st.randoms(use_true_random=False))
def test_the_order_of_the_class_list_decides_nothing(
    election: tuple[NDArray[np.int64], NDArray[np.float64]], random: object
) -> None:
    ballots, probabilities = election
    order = list(range(probabilities.shape[1]))
    random.shuffle(order)  # type: ignore[attr-defined]
    new_code = np.argsort(order)
    renamed = winners(new_code[ballots], probabilities[:, order])
    assert (renamed == new_code[winners(ballots, probabilities)]).all()


@given(elections())
def test_a_vote_agrees_with_itself(election: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    ballots, probabilities = election
    classes = tuple(f"class {code}" for code in range(probabilities.shape[1]))
    for row, vote in enumerate(count_votes(ballots, probabilities, classes, 0.4)):
        assert vote.label in vote.ballots
        assert vote.ballots == tuple(classes[code] for code in ballots[row])
        assert list(vote.probabilities) == list(classes)
        assert sum(vote.probabilities.values()) == pytest.approx(1)
        others = [vote.ballots.count(label) for label in classes if label != vote.label]
        assert vote.tie == (vote.agreement in others)
        assert vote.uncertain == (vote.probabilities[vote.label] < 0.4)


# ballots of the five models | mean probabilities | label, tie, uncertain
@pytest.mark.parametrize(
    ("ballots", "probabilities", "expected"),
    [
        ("Happy Happy Happy Happy Happy", (0.1, 0.1, 0.7, 0.1), ("Happy", False, False)),
        # a majority stands against a higher mean probability of another class
        ("Sad Sad Sad Angry Angry", (0.6, 0.0, 0.0, 0.4), ("Sad", False, True)),
        # more probable than the least that is called certain, or exactly as probable
        ("Sad Sad Angry Fear Happy", (0.2, 0.1, 0.0, 0.7), ("Sad", False, False)),
        ("Sad Sad Angry Fear Happy", (0.3, 0.1, 0.1, 0.5), ("Sad", False, False)),
        ("Sad Sad Angry Fear Happy", (0.3, 0.2, 0.1, 0.4), ("Sad", False, True)),
        # all models for a label that they do not find probable
        ("Sad Sad Sad Sad Sad", (0.3, 0.1, 0.2, 0.4), ("Sad", False, True)),
        # a tie goes to the more probable class, not to the first of the alphabet
        ("Sad Sad Angry Angry Fear", (0.3, 0.1, 0.1, 0.5), ("Sad", True, False)),
        ("Sad Sad Angry Angry Fear", (0.5, 0.1, 0.1, 0.3), ("Angry", True, False)),
        # a class outside the tie does not win by its probability
        ("Sad Sad Angry Angry Fear", (0.2, 0.6, 0.0, 0.2001), ("Sad", True, True)),
        # equally probable too: the earliest model decides
        ("Sad Angry Sad Angry Fear", (0.25, 0.25, 0.25, 0.25), ("Sad", True, True)),
    ],
)
def test_votes(ballots: str, probabilities: tuple[float, ...], expected: tuple[str, bool, bool]) -> None:
    codes = np.array([[CLASSES.index(label) for label in ballots.split()]])
    (vote,) = count_votes(codes, np.array([probabilities]), CLASSES, 0.5)
    assert (vote.label, vote.tie, vote.uncertain) == expected


@pytest.mark.parametrize(
    ("ballots", "probabilities"),
    [
        (np.zeros((2, 5), int), np.full((3, 4), 0.25)),  # another number of faces
        (np.zeros((2, 0), int), np.full((2, 4), 0.25)),  # no models
        (np.full((2, 5), 4), np.full((2, 4), 0.25)),  # a ballot for no class
        (np.full((2, 5), -1), np.full((2, 4), 0.25)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(ballots: NDArray[np.int64], probabilities: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="ballots"):
        winners(ballots, probabilities)


def test_classes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 classes"):
        count_votes(np.zeros((1, 5), int), np.full((1, 4), 0.25), CLASSES[:3], 0.5)


def test_agreement_counts_the_ballots_for_the_label() -> None:
    vote = Vote("Sad", ("Sad", "Happy", "Sad", "Sad", "Fear"), {"Sad": 1.0}, tie=False, uncertain=False)
    assert vote.agreement == 3


@given(
    scores=st_numpy.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(3)), elements=st.floats(1e-3, 1)),
    exponents=st.tuples(*[st.floats(0.1, 10)] * 3),
    shifts=st.tuples(*[st.floats(-5, 5)] * 3),
)
def test_calibrated_probabilities_are_probabilities(
    scores: NDArray[np.float64], exponents: tuple[float, ...], shifts: tuple[float, ...]
) -> None:
    calibrated = Calibration(exponents, shifts, 0.5).apply(scores / scores.sum(axis=1, keepdims=True))
    assert calibrated.min() >= 0
    assert calibrated.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_power_under_one_takes_sureness_away_and_a_shift_gives_a_class_its_share() -> None:
    probabilities = np.array([[0.9, 0.1], [1.0, 0.0]])
    tamed = Calibration((0.5, 0.5), (0.0, 0.0), 0.5).apply(probabilities)
    assert tamed.tolist() == [pytest.approx([0.75, 0.25]), pytest.approx([0.999, 0.001], abs=1e-4)]
    shifted = Calibration((1.0, 1.0), (0.0, np.log(9)), 0.5).apply(probabilities)
    assert shifted[0] == pytest.approx([0.5, 0.5])
    assert Calibration.none(2).apply(probabilities) == pytest.approx(probabilities, abs=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        ((0.0, 1.0), (0.0, 0.0), 0.5),
        ((-1.0, 1.0), (0.0, 0.0), 0.5),
        ((float("nan"), 1.0), (0.0, 0.0), 0.5),
        ((1.0, 1.0), (float("inf"), 0.0), 0.5),
        ((1.0, 1.0), (0.0, float("nan")), 0.5),
        ((1.0, 1.0), (0.0,), 0.5),
        ((1.0, 1.0), (0.0, 0.0), 1.5),
        ((1.0, 1.0), (0.0, 0.0), float("nan")),
    ],
)
def test_what_is_no_calibration_is_refused(values: tuple[tuple[float, ...], tuple[float, ...], float]) -> None:
    with pytest.raises(ValueError, match="no calibration"):
        Calibration(*values)


def vote_of(*ballots: str) -> Vote:
    shares = {label: (ballots.count(label) + 0.5) / (len(ballots) + 1.5) for label in ("Angry", "Happy", "Sad")}
    return Vote(max(shares, key=shares.__getitem__), ballots, shares, tie=False, uncertain=False)


def test_a_steady_face_has_its_own_vote_as_the_smoothed_one():
    smoother = VoteSmoother(uncertain_below=0.4)
    vote = vote_of("Sad", "Sad", "Sad", "Happy", "Happy")
    for at in range(5):
        smoothed = smoother.add(vote, float(at), time_constant=2.0)
    assert smoothed.label == "Sad"
    assert dict(smoothed.probabilities) == pytest.approx(dict(vote.probabilities))


def test_a_single_odd_vote_does_not_change_the_label_and_a_lasting_change_does():
    smoother = VoteSmoother(uncertain_below=0.0)
    labels = [
        smoother.add(vote_of(*[label] * 5), at / 4, time_constant=2.0).label
        for at, label in enumerate(["Happy"] * 8 + ["Sad"] + ["Happy"] * 3 + ["Sad"] * 12)
    ]
    assert labels[:12] == ["Happy"] * 12
    assert labels[-1] == "Sad"


def test_without_smoothing_only_the_newest_vote_counts():
    smoother = VoteSmoother(uncertain_below=0.99)
    smoother.add(vote_of(*["Happy"] * 5), 0.0, time_constant=0.0)
    smoothed = smoother.add(vote_of(*["Sad"] * 5), 0.01, time_constant=0.0)
    assert (smoothed.label, smoothed.uncertain) == ("Sad", True)


def test_label_and_agreement_of_a_smoothed_vote_never_contradict_each_other() -> None:
    """ "Happy, 0 of 5 models agree" stood there for seconds after a face had changed."""
    smoother = VoteSmoother(uncertain_below=0.0)
    shown = []
    for at, label in enumerate(["Happy"] * 8 + ["Sad"] * 20):
        smoothed = smoother.add(vote_of(*[label] * 5), at / 4, time_constant=2.0)
        assert smoothed.agreement == max(smoothed.ballots.count(other) for other in ("Angry", "Happy", "Sad"))
        assert smoothed.agreement == 5
        shown.append(smoothed.label)
    assert shown[8] == "Happy"
    assert shown[-1] == "Sad"
