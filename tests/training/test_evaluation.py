"""What is said of few faces is no more than they show."""

import numpy as np
import pytest
from scipy.stats import binomtest

from emotion.training.evaluation import FEW, HARDLY_ANY, accuracy_told, interval, macro_f1_told, score, told


@pytest.mark.parametrize(
    ("right", "of"), [(0, 1), (1, 1), (7, 9), (0, 12), (12, 12), (33, 36), (100, 200), (2271, 3589)]
)
def test_the_range_is_wilsons(right: int, of: int) -> None:
    """What somebody would check it with, here scipy, says the same."""
    expected = binomtest(right, of).proportion_ci(0.95, "wilson")
    assert interval(right, of) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_cross_validated_faces_tell_less_than_as_many_new_ones() -> None:
    """Their models share what they learnt: by the range of independent faces, one would be sure too early."""
    low, high = interval(30, 40, 0.8)
    assert (low, high) == pytest.approx(interval(24, 32))
    assert low < interval(30, 40)[0] < interval(30, 40)[1] < high


@pytest.mark.parametrize(
    ("right", "of", "said"),
    [
        (0, 0, "–"),
        (7, 9, "7 of 9"),
        (8, 10, "8 of 10 (49 to 94 %)"),
        (33, 36, "33 of 36 (78 to 97 %)"),
        (199, 199, "199 of 199 (98 to 100 %)"),
        (150, 200, "75.0% (68.6 to 80.5)"),
        (1638, 2566, "63.8% (62.0 to 65.7)"),
    ],
)
def test_few_faces_are_told_by_their_count(right: int, of: int, said: str) -> None:
    """Three of four is no 75.0 %."""
    assert told(right, of) == said


def test_the_range_holds_the_truth_as_often_as_it_says() -> None:
    """Of two hundred classes who each train on their own faces, about ten are told a range that the truth is not in."""
    random = np.random.default_rng(0)
    held = []
    for n in (15, 40, 90, 200):
        for truth in (0.4, 0.65, 0.8, 0.9):
            right = random.binomial(n, truth, 200)
            ranges = np.array([interval(count, n) for count in right])
            held.append(((ranges[:, 0] <= truth) & (truth <= ranges[:, 1])).mean())
    assert 0.93 <= np.mean(held) <= 0.97
    assert min(held) > 0.88


def test_a_macro_f1_is_given_where_it_means_something() -> None:
    """Of one class, or of few faces, it would be a number without worth that looks like any other."""
    classes = ("Happy", "Sad")
    for n_happy, n_sad, said in ((FEW, 0, "–"), (FEW - 2, 1, "–"), (FEW - 1, 1, "50.0%")):
        y = np.array(["Happy"] * n_happy + ["Sad"] * n_sad)
        figures = score(y, np.full(len(y), "Happy"), classes).summary()
        if said != "–":
            said = f"{figures['macro_f1']:.1%}"
        assert macro_f1_told(figures) == said
    assert accuracy_told(score(y[:HARDLY_ANY], y[:HARDLY_ANY], classes).summary()) == "10 of 10 (72 to 100 %)"


def test_classes_that_a_table_lacks_do_not_count_in_macro_f1() -> None:
    """Of a table of one person's smiles and rest, the mean over seven classes would say nothing."""
    truth = np.array(["Happy", "Happy", "Sad", "Sad"])
    said = np.array(["Happy", "Happy", "Sad", "Angry"])
    assert score(truth, said, ("Angry", "Happy", "Sad")).macro_f1 == pytest.approx((1 + 2 / 3) / 2)


def test_a_class_without_test_faces_is_not_called_never_found() -> None:
    labels = np.array(["Happy", "Sad"])
    one = {"faces": 1, "right": 1, "voted": 1}
    assert score(labels, labels, ("Angry", "Happy", "Sad")).summary()["classes"] == {"Happy": one, "Sad": one}
