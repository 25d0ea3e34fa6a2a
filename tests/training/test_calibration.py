"""What votes claim is what is right, and what is too little to say that by is told."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.data.splitting import LEAST_VALIDATION
from emotion.training.calibration import Calibrated, calibrate, of_label, reliability
from emotion.vote.voting import Calibration, softmax


def made_up(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What five models say, too sure and twice too fond of the last class, and what one of ten people each saw."""
    random = np.random.default_rng(seed)
    scores = 1.5 * random.normal(size=(n, 3))
    truth = softmax(scores)
    said = softmax(2.5 * scores + [0.0, 0.0, 0.7])
    people = np.stack([random.multinomial(10, row) for row in truth]) / 10
    return np.repeat(said[:, None], 5, axis=1), people


@pytest.fixture(scope="module")
def fitted() -> Calibrated:
    return calibrate(*made_up(3000))


def test_probabilities_of_all_classes_become_the_shares_of_people(fitted: Calibrated) -> None:
    """The winner's alone would leave the others wrong, and one temperature cannot give a class its share back."""
    calibration = fitted.calibration
    others, seen = made_up(3000, seed=1)
    for apply in (lambda p: p, calibration.apply):
        error = np.abs(apply(others.mean(axis=1)).mean(axis=0) - seen.mean(axis=0)).max()
        assert (error < 0.02) == (apply == calibration.apply)
    claimed, right = of_label(others, calibration.apply(others.mean(axis=1)), seen)
    assert claimed.mean() == pytest.approx(right.mean(), abs=0.02)


def test_the_bound_of_doubt_lies_where_half_are_right_and_says_how_sure_that_is(fitted: Calibrated) -> None:
    assert fitted.interval is not None
    low, high = fitted.interval
    assert low < fitted.calibration.uncertain_below < high
    assert high - low < 0.1
    others, seen = made_up(20_000, seed=2)
    claimed, right = of_label(others, fitted.calibration.apply(others.mean(axis=1)), seen)
    near = np.abs(claimed - fitted.calibration.uncertain_below) < 0.03
    assert right[near].mean() == pytest.approx(0.5, abs=0.05)


def test_with_few_faces_nothing_is_fitted() -> None:
    probabilities, people = made_up(LEAST_VALIDATION - 1)
    fitted = calibrate(probabilities, people)
    said = probabilities.mean(axis=1)
    assert fitted.calibration.apply(said) == pytest.approx(said, abs=1e-4)
    assert fitted.interval is None
    assert not fitted.calibration.measured
    assert fitted.calibration.uncertain_below == 0, "no vote may be called improbable as if that had been measured"


def test_faces_that_nobody_voted_on_are_not_counted() -> None:
    probabilities, people = made_up(600)
    people[300:] = 0
    assert calibrate(probabilities, people) == calibrate(probabilities[:300], people[:300])


def test_votes_are_held_against_what_they_claim_once_they_are_calibrated(fitted: Calibrated) -> None:
    """Else the page would show probabilities whose worth was measured on others."""
    probabilities, people = made_up(3000, seed=1)
    as_they_are = reliability(probabilities, people, Calibration.none(3))
    calibrated = reliability(probabilities, people, fitted.calibration)
    assert calibrated.claimed == pytest.approx(calibrated.right, abs=0.02)
    assert as_they_are.claimed > as_they_are.right + 0.1, "too sure"
    assert calibrated.expected_error < as_they_are.expected_error / 3
    assert as_they_are.uncertain == 0
    assert 0 < calibrated.uncertain < 1
