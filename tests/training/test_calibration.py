"""What votes claim is what is right, and what is too little to say that by is told."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.training.calibration import LEAST_FACES, calibrate, of_label
from emotion.vote.voting import softmax


def made_up(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What five models say, too sure and twice too fond of the last class, and what one of ten people each saw."""
    random = np.random.default_rng(seed)
    scores = 1.5 * random.normal(size=(n, 3))
    truth = softmax(scores)
    said = softmax(2.5 * scores + [0.0, 0.0, 0.7])
    people = np.stack([random.multinomial(10, row) for row in truth]) / 10
    return np.repeat(said[:, None], 5, axis=1), people


def test_probabilities_of_all_classes_become_the_shares_of_people() -> None:
    """The winner's alone would leave the others wrong, and one temperature cannot give a class its share back."""
    probabilities, people = made_up(3000)
    calibration = calibrate(probabilities, people).calibration
    others, seen = made_up(3000, seed=1)
    for apply in (lambda p: p, calibration.apply):
        error = np.abs(apply(others.mean(axis=1)).mean(axis=0) - seen.mean(axis=0)).max()
        assert (error < 0.02) == (apply == calibration.apply)
    claimed, right = of_label(others, calibration.apply(others.mean(axis=1)), seen)
    assert claimed.mean() == pytest.approx(right.mean(), abs=0.02)


def test_the_bound_of_doubt_lies_where_half_are_right_and_says_how_sure_that_is() -> None:
    fitted = calibrate(*made_up(3000))
    assert fitted.interval is not None
    low, high = fitted.interval
    assert low < fitted.calibration.uncertain_below < high
    assert high - low < 0.1
    others, seen = made_up(20_000, seed=2)
    claimed, right = of_label(others, fitted.calibration.apply(others.mean(axis=1)), seen)
    near = np.abs(claimed - fitted.calibration.uncertain_below) < 0.03
    assert right[near].mean() == pytest.approx(0.5, abs=0.05)


def test_with_few_faces_nothing_is_fitted() -> None:
    probabilities, people = made_up(LEAST_FACES - 1)
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
