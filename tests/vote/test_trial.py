"""What learning one person's face gained, counted on faces that were kept out."""

import numpy as np
import pytest

from emotion import Ensemble, load_models
from emotion.vote.person.examples import examples_of
from emotion.vote.person.trial import Mixed, Trial, tried
from tests.tiny_models import write_tiny_models


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    """A black face is Angry, a grey one Happy, a white one Sad."""
    return load_models(write_tiny_models(tmp_path_factory.mktemp("models")))


def faces(*brightness: int) -> np.ndarray:
    return np.repeat(np.array(brightness, dtype=np.uint8)[:, None], 2304, axis=1)


def test_what_models_take_for_something_else_is_right_once_it_was_learnt(models: Ensemble) -> None:
    examples = examples_of(models, faces(10, 12, 11, 13, 240, 242, 241, 243), ["Bored"] * 4 + ["Thoughtful"] * 4)
    assert tried(models, examples) == Trial(4, 0, 4, (), ())


def test_every_other_face_of_each_expression_is_kept_out_in_whatever_order_they_were_taken(models: Ensemble) -> None:
    """Were all frames of one expression kept out, it would not be learnt at all."""
    labels = ["Angry", "Sad"] * 3
    assert tried(models, examples_of(models, faces(10, 240, 12, 242, 11, 241), labels)).n == 2


def test_expressions_that_look_alike_are_named_with_what_they_are_taken_for(models: Ensemble) -> None:
    brightness = faces(240, 10, 242, 10, 241, 240, 12, 11)
    trial = tried(models, examples_of(models, brightness, ["Sad"] * 6 + ["Angry"] * 2))
    assert (trial.n, trial.before, trial.after) == (4, 2, 2)
    assert trial.mixed == (Mixed("Sad", "Angry", 2, 3),)


def test_an_expression_with_one_face_is_learnt_but_not_tried(models: Ensemble) -> None:
    trial = tried(models, examples_of(models, faces(10, 12, 240), ["Angry", "Angry", "Sad"]))
    assert (trial.n, trial.untried) == (1, ("Sad",))
    assert tried(models, examples_of(models, faces(10, 240), ["Angry", "Sad"])) == Trial(0, 0, 0, (), ("Angry", "Sad"))


def test_faces_of_this_visit_come_behind_those_of_a_file(models: Ensemble) -> None:
    before = examples_of(models, faces(10, 240), ["Angry", "Sad"])
    both = examples_of(models, faces(120), ["Happy"], before)
    assert both.labels == ("Angry", "Sad", "Happy")
    assert {values.shape[0] for values in both.components.values()} == {3}
