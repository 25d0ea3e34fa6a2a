"""Examples of one person's face: what cannot be learnt from, and files of others."""

from dataclasses import replace

import numpy as np
import pytest

from emotion import Ensemble, load_models
from emotion.errors import PersonalError
from emotion.vote.person.examples import MOST_FILE_BYTES, MOST_LABELS, Examples, examples_of, read_examples
from emotion.vote.person.learning import personal
from tests.tiny_models import write_tiny_models


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    return load_models(write_tiny_models(tmp_path_factory.mktemp("models")))


@pytest.fixture
def examples(models: Ensemble) -> Examples:
    return examples_of(models, np.repeat(np.array([[10], [240]], dtype=np.uint8), 2304, axis=1), ["Sad", "Thoughtful"])


def test_a_file_gives_back_what_was_written_to_it(models: Ensemble, examples: Examples) -> None:
    again = read_examples(examples.to_json().encode(), models)
    assert again.labels == examples.labels
    assert again.digest == examples.digest


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["Sad", " "], "An example has no label: say what each face shows."),
        (["Sad", "Sad"], "Two expressions at least are needed, with one face of each: add another one."),
        (
            [f"Label {number}" for number in range(MOST_LABELS + 1)],
            "51 faces of 51 expressions are too many: take at most 5,000 of 50.",
        ),
    ],
)
def test_labels_that_nothing_can_be_learnt_from_are_refused(models: Ensemble, labels: list[str], said: str) -> None:
    with pytest.raises(PersonalError) as refused:
        examples_of(models, np.zeros((len(labels), 2304), dtype=np.uint8), labels)
    assert str(refused.value) == said


def test_one_expression_that_is_left_of_several_is_refused_too(models: Ensemble, examples: Examples) -> None:
    with pytest.raises(PersonalError, match="Two expressions at least are needed"):
        personal(models, examples.rows([True, False]))


def test_examples_for_other_models_are_refused(models: Ensemble, examples: Examples) -> None:
    """What the numbers stand for, only the models know that made them."""
    others = replace(examples, fits="others")
    with pytest.raises(
        PersonalError, match=r"^These examples fit other models: choose those that they were made with\.$"
    ):
        personal(models, others)
    with pytest.raises(PersonalError, match=r"^This file fits other models: choose those that it was made with"):
        read_examples(others.to_json().encode(), models)


def test_a_file_of_a_face_that_is_too_large_is_not_read(models: Ensemble) -> None:
    with pytest.raises(PersonalError, match=r"^The file is larger than 10 MB, and no file of a face is\.$"):
        read_examples(b" " * (MOST_FILE_BYTES + 1), models)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e7, -1e7])
def test_a_file_whose_numbers_are_none_of_a_face_is_damaged(models: Ensemble, examples: Examples, wrong: float) -> None:
    components = {number: np.full_like(values, wrong) for number, values in examples.components.items()}
    with pytest.raises(PersonalError, match=r"^The file of a face is damaged: make it anew\.$"):
        read_examples(replace(examples, components=components).to_json().encode(), models)
