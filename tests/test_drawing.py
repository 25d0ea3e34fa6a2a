"""What is drawn tells faces apart without colours."""

import numpy as np

from emotion.drawing import Mark, draw_marks
from emotion.faces import Box


def test_several_faces_carry_their_numbers_and_a_single_one_does_not():
    picture = np.full((240, 320, 3), 120, dtype=np.uint8)
    first, second = Mark(1, Box(20, 60, 80, 80), "Sad 5/5"), Mark(2, Box(200, 150, 60, 60), "Sad 5/5")
    alone, together = draw_marks(picture, [first]), draw_marks(picture, [first, second])
    label = np.s_[30:60, 15:190]
    assert not np.array_equal(alone[label], together[label])
    same_number = draw_marks(picture, [first, Mark(1, second.box, second.text)])
    assert not np.array_equal(together, same_number)
    assert (picture == 120).all(), "the frame itself must stay as it is"
