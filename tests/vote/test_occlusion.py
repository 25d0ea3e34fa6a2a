"""The map shows the part of the face that a model rests on."""

import numpy as np
import pytest

from emotion.vote.occlusion import occlusion_map


class LooksAtOnePlace:
    """Finds "Happy" as probable as the square at one place is bright."""

    classes = ("Happy", "Sad")

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        share = X.reshape(-1, 48, 48)[:, 30:36, 10:16].mean(axis=(1, 2)) / 255
        return np.stack([share, 1 - share], axis=1).astype(np.float32)


@pytest.fixture
def face() -> np.ndarray:
    picture = np.zeros((48, 48), dtype=np.uint8)
    picture[30:36, 10:16] = 255
    return picture.reshape(-1)


def test_the_decisive_place_is_the_brightest_and_others_are_dark(face):
    loss = occlusion_map(LooksAtOnePlace(), face, "Happy")
    assert (loss.shape, loss.dtype) == ((48, 48), np.float32)
    y, x = np.unravel_index(loss.argmax(), loss.shape)
    assert 28 <= y <= 37
    assert 8 <= x <= 17
    assert loss[:18].max() == 0.0
    assert occlusion_map(LooksAtOnePlace(), face, "Sad").max() <= 0.0


def test_what_cannot_be_explained_is_refused(face):
    with pytest.raises(ValueError, match="Angry"):
        occlusion_map(LooksAtOnePlace(), face, "Angry")
    with pytest.raises(ValueError, match="face vector"):
        occlusion_map(LooksAtOnePlace(), face[:100], "Happy")
