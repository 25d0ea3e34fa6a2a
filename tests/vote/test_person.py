"""Models that learn one person's face: what was taught is answered, what was not stays, and a file brings it back."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

import emotion
from emotion import cli
from emotion.errors import PersonalError
from emotion.vote.loading import load_models
from emotion.vote.person.examples import Examples, examples_of, read_examples
from emotion.vote.person.learning import personal, softmax_regression
from emotion.vote.sets import set_that_votes
from tests.tiny_models import CLASSES, write_tiny_models


def shades(*values: int) -> NDArray[np.uint8]:
    """Faces of one grey each: the tiny models call dark ones Angry, light ones Sad, and others Happy."""
    return np.repeat(np.array(values, dtype=np.uint8)[:, None], 2304, axis=1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> emotion.Ensemble:
    return load_models(write_tiny_models(tmp_path_factory.mktemp("person") / "models"))


def test_what_a_person_shows_is_answered_as_that_person_shows_it(models: emotion.Ensemble) -> None:
    """One person's angry face is another's resting face: dark is Sad here, and light Angry."""
    X = shades(*range(0, 30), *range(110, 140), *range(225, 255))
    y = ["Sad"] * 30 + ["Happy"] * 30 + ["Angry"] * 30
    mine = models.personal(X, y)
    assert models.predict(shades(15, 125, 245)).tolist() == ["Angry", "Happy", "Sad"]
    assert mine.predict(shades(15, 125, 245)).tolist() == ["Sad", "Happy", "Angry"]
    assert mine.classes == models.classes
    assert mine.model_names == models.model_names
    [vote] = mine.vote(shades(15))
    assert len(vote.ballots) == 5
    assert vote.label == "Sad"
    assert np.allclose(mine.predict_proba(shades(15, 245)).sum(axis=1), 1)


def test_expressions_that_were_not_taught_keep_the_models_answer(models: emotion.Ensemble) -> None:
    """Else somebody who taught two expressions would never be called the third."""
    mine = models.personal(shades(10, 60, 30, 80), ["Angry", "Happy", "Angry", "Happy"])
    before, after = (one.model_probabilities(shades(250, 200)) for one in (models, mine))
    assert mine.predict(shades(250)).tolist() == ["Sad"]
    sad = CLASSES.index("Sad")
    assert np.allclose(before[:, :, sad], after[:, :, sad], atol=1e-6)


def test_labels_of_ones_own_stand_behind_the_models_classes(models: emotion.Ensemble) -> None:
    """ "Thinking" is what a teacher wants to see, and no data set has it."""
    X, y = shades(10, 14, 120, 124, 60, 64), ["angry", "angry", "happy", "happy", "thinking", "thinking"]
    mine = models.personal(X, y)
    assert mine.classes == (*CLASSES, "Thinking")
    assert mine.predict(shades(12, 62, 122, 255)).tolist() == ["Angry", "Thinking", "Happy", "Sad"]


def test_the_fewer_examples_the_more_the_models_decide(models: emotion.Ensemble) -> None:
    few = models.personal(shades(10, 245), ["Sad", "Angry"])
    many = models.personal(shades(*range(0, 40), *range(215, 255)), ["Sad"] * 40 + ["Angry"] * 40)
    sad = CLASSES.index("Sad")
    assert few.predict_proba(shades(60))[0, sad] < many.predict_proba(shades(60))[0, sad]
    nothing = models.personal(shades(10, 245), ["Sad", "Angry"], weight=0)
    assert (nothing.model_probabilities(shades(60)) == models.model_probabilities(shades(60))).all()


def test_faces_that_are_all_the_same_teach_nothing(models: emotion.Ensemble) -> None:
    """Somebody may give one picture twice, under two names."""
    mine = models.personal(shades(10, 10, 10), ["Sad", "Angry", "Thinking"])
    assert np.isfinite(mine.predict_proba(shades(0, 10, 255))).all()


def test_the_regression_is_that_of_scikit_learn() -> None:
    """Which the page does without: it takes seconds to load."""
    random = np.random.default_rng(0)
    X, codes = random.normal(size=(120, 30)), random.integers(0, 6, 120)
    own = softmax_regression(X, codes)
    theirs = LogisticRegression(C=1.0, max_iter=5000, tol=1e-10).fit(X, codes)
    assert np.abs(own[:-1].T - theirs.coef_).max() < 1e-4
    assert np.abs(own[-1] - theirs.intercept_ + theirs.intercept_.mean()).max() < 1e-4


def test_a_regression_on_one_face_of_each_is_settled() -> None:
    """Where faces can be told apart without error, only the ridge ends the growth of coefficients."""
    X = np.random.default_rng(1).normal(size=(7, 45))
    coefficients = softmax_regression(X, np.arange(7))
    assert np.isfinite(coefficients).all()
    assert ((X @ coefficients[:-1] + coefficients[-1]).argmax(axis=1) == np.arange(7)).all()


def test_a_file_brings_back_what_was_learnt(models: emotion.Ensemble) -> None:
    examples = examples_of(models, shades(10, 120, 245), ["Sad", "Grübeln", "Angry"])
    content = examples.to_json().encode()
    again = read_examples(content, models)
    assert again.to_json().encode() == content
    one, other = (personal(models, some) for some in (examples, again))
    assert one.origin == other.origin
    assert (one.model_probabilities(shades(33)) == other.model_probabilities(shades(33))).all()
    assert set_that_votes(one).name.endswith(", for one person")


def test_the_file_holds_no_picture(models: emotion.Ensemble) -> None:
    """Of a face of 2304 pixels, only the components go into it."""
    whole = json.loads(examples_of(models, shades(10, 245), ["Sad", "Angry"]).to_json())
    sizes = [len(base64.b64decode(one)) for one in whole["experiments"].values()]
    assert sizes == [4 * 2 * 1] * 3


def crafted(models: emotion.Ensemble, **changes: Any) -> bytes:
    whole = json.loads(examples_of(models, shades(10, 245), ["Sad", "Angry"]).to_json())
    return json.dumps(whole | changes).encode()


def packed(values: NDArray[np.float32]) -> dict[str, str]:
    return {str(number): base64.b64encode(values.tobytes()).decode() for number in (1, 2, 3)}


BAD = {
    "nothing": (lambda m: b"", "no file of a face"),
    "no text": (lambda m: b"\xff\xfe\x00", "no file of a face"),
    "a list": (lambda m: b"[1]", "no file of a face"),
    "deep": (lambda m: b"[" * 100_000, "no file of a face"),
    "another format": (lambda m: crafted(m, format=2), "no file of a face"),
    "labels that are no texts": (lambda m: crafted(m, labels=[1, 2]), "no file of a face"),
    "labels as nobody writes them": (lambda m: crafted(m, labels=["Sad\n", "<b>"]), "no file of a face"),
    "one label": (lambda m: crafted(m, labels=["Sad", "Sad"]), "Two expressions at least are needed"),
    "an empty label": (lambda m: crafted(m, labels=["Sad", ""]), "An example has no label"),
    "too many labels": (
        lambda m: crafted(m, labels=[f"L{n}" for n in range(60)]),
        "60 faces of 60 expressions are too",
    ),
    "of other models": (lambda m: crafted(m, fits="0" * 64), "This file fits other models"),
    "too large": (lambda m: b" " * 10_000_001, "larger than 10 MB"),
    "no components": (lambda m: crafted(m, experiments={}), "damaged"),
    "no base64": (lambda m: crafted(m, experiments={"1": "§"}), "damaged"),
    "too few numbers": (lambda m: crafted(m, experiments=packed(np.zeros(1, np.float32))), "damaged"),
    "not finite": (lambda m: crafted(m, experiments=packed(np.array([np.nan, 1], np.float32))), "damaged"),
    "enormous": (lambda m: crafted(m, experiments=packed(np.array([1e30, 1], np.float32))), "damaged"),
    "components of other models": (
        lambda m: crafted(m, experiments=packed(np.zeros(6, np.float32))),
        "damaged",
    ),
}


@pytest.mark.hostile("that it is no file of a face, is damaged, or fits other models")
@pytest.mark.parametrize("case", BAD)
def test_a_crafted_file_is_refused_in_a_sentence(models: emotion.Ensemble, case: str) -> None:
    content, sentence = BAD[case]
    with pytest.raises(PersonalError, match=sentence):
        read_examples(content(models), models)


@pytest.mark.parametrize(
    ("X", "y", "weight", "sentence"),
    [
        (shades(1, 2), ["Sad"], 1, "each face has one label, and there are 1 for 2 faces"),
        (shades(1, 2).astype(float), ["Sad", "Angry"], 1, "Face vectors are an array of uint8"),
        (shades(1, 2), ["Sad", "Angry"], -1, "a weight is 0 or more, not -1"),
        (shades(1, 2), ["Sad", "Angry"], float("nan"), "a weight is 0 or more, not nan"),
        (shades(1, 2)[:0], [], 1, "there are no faces"),
    ],
)
def test_wrong_arguments_are_told(models: emotion.Ensemble, X: Any, y: Any, weight: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        models.personal(X, y, weight=weight)


def test_examples_of_other_models_are_refused(models: emotion.Ensemble) -> None:
    examples = examples_of(models, shades(10, 245), ["Sad", "Angry"])
    with pytest.raises(PersonalError, match="These examples fit other models"):
        personal(models, Examples(examples.components, examples.labels, "another"))


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """Pictures of one person: faces that were cut out already."""
    random = np.random.default_rng(0)
    for label, low in (("sad", 0), ("angry", 150)):
        (tmp_path / "me" / label).mkdir(parents=True)
        for number in range(30):
            noise = random.integers(low + number, low + 70 + number, (48, 48), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "me" / label / f"{number}.png")
    (tmp_path / "me" / "sad" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "me" / "sad" / "notes.txt").write_text("mine")
    return tmp_path / "me"


def test_the_commands_teach_a_face_and_vote_with_it(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the page: a folder for each expression, one file, and votes by it."""
    monkeypatch.chdir(tmp_path)
    folder = str(write_tiny_models(tmp_path / "models"))
    assert cli.main(["personal", "me", "--models", folder]) == 0
    told = capsys.readouterr().out
    assert "Angry              30 faces" in told
    before, after = (int(found) for found in re.findall(r"(\d+) of 30", told)[:2])
    assert before < 5
    assert after > 20
    assert "Pictures left out: 1 that cannot be read.\n1 file passed over: 1 .txt." in told
    assert "It is biometric data of this person; it holds no picture." in told
    picture_of = str(person / "sad" / "0.png")
    votes = ["predict", picture_of, "--models", folder]
    assert cli.main(votes) == 0
    assert cli.main([*votes, "--personal", "my-face.json"]) == 0
    plain, mine = capsys.readouterr().out.splitlines()
    assert ": Angry" in plain
    assert ": Sad" in mine
    assert mine.endswith("models, for one person")
    assert cli.main(["predict", "me", "--csv", "v.csv", "--models", folder, "--personal", "my-face.json"]) == 1
    assert "models, for one person" in (tmp_path / "v.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["predict", "x", "--personal", "none.json"], "none.json cannot be read: No such file or directory."),
        (["predict", "x", "--personal", "bad.json"], "bad.json: This is no file of a face, as Save writes it"),
        (
            ["predict", "x", "--personal", "b", "--dask", "tcp://x:1", "--csv", "v.csv"],
            "leave --personal out, or --dask",
        ),
        (["personal", "walls"], "no face in walls that can be learnt from: 1 pictures have none"),
        (["personal", "me", "--out", "no/where.json"], "no/where.json cannot be written: No such file or directory."),
    ],
)
def test_what_cannot_be_learnt_or_read_is_told(
    person: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "walls" / "sad").mkdir(parents=True)
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "walls" / "sad" / "wall.png")
    folder = str(write_tiny_models(tmp_path / "models"))
    assert cli.main([*arguments, "--models", folder]) == 1
    assert sentence in capsys.readouterr().err
