"""What is drawn tells faces apart without colours."""

import numpy as np
import pytest

from emotion.faces.detect import Box
from emotion.streams.drawing import Mark, draw_marks


def test_several_faces_carry_their_numbers_and_a_single_one_does_not():
    picture = np.full((240, 320, 3), 120, dtype=np.uint8)
    first, second = Mark(1, Box(20, 60, 80, 80), "Sad 5/5"), Mark(2, Box(200, 150, 60, 60), "Sad 5/5")
    alone, together = draw_marks(picture, [first]), draw_marks(picture, [first, second])
    label = np.s_[30:60, 15:190]
    assert not np.array_equal(alone[label], together[label])
    same_number = draw_marks(picture, [first, Mark(1, second.box, second.text)])
    assert not np.array_equal(together, same_number)
    assert (picture == 120).all(), "the frame itself must stay as it is"


@pytest.mark.parametrize(
    ("one", "other"), [("Glücklich", "Glöcklich"), ("Радость", "Грустно"), ("λύπη", "χαρά"), ("colère", "colére")]
)
def test_classes_of_other_languages_are_told_apart(one, other):
    """With letters that a font lacks, all words of a length look the same."""
    ground = np.full((200, 400, 3), 120, dtype=np.uint8)

    def label(text: str) -> np.ndarray:
        return draw_marks(ground, [Mark(1, Box(100, 80, 90, 90), text)])

    assert not np.array_equal(label(one), label(other))
    missing = "\U0010fffd"  # what no font has
    for letter in one:
        assert not np.array_equal(label(letter), label(missing)), letter
