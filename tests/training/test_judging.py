"""Small sets are judged on every face of theirs, and never by a model that had learnt it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion import config
from emotion.data.dataset import Faces
from emotion.data.seen import NO_CODES, SeenFaces, copies_between, face_codes
from emotion.training import judging, training
from emotion.training.evaluation import FEW, INDEPENDENT, VOTE, interval
from emotion.training.judging import CrossValidation, cross_validate, judge
from emotion.training.recipes import EXPERIMENTS, FAST
from emotion.training.reports import result_lines
from emotion.vote.loading import load_models, read_manifest
from tests.synthetic import CLASSES, synthetic_faces, write_table
from tests.tiny_models import write_tiny_networks


@dataclass
class Round:
    """What models were given to learn, and what they were asked."""

    learnt: Faces
    asked: NDArray[np.uint8]


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[Round]:
    """Models that know what they learnt by heart, and take any other face for the first class."""
    noted: list[Round] = []

    def fit(train: Faces, *_: object, **__: object) -> list[SimpleNamespace]:
        by_heart = dict(zip(map(bytes, train.X), train.y, strict=True))

        def labels(X: NDArray[np.uint8]) -> NDArray[np.str_]:
            return np.array([by_heart.get(bytes(face), train.classes[0]) for face in X])

        def probabilities(X: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
            noted.append(Round(train, X))
            said = (labels(X)[:, None] == np.array(train.classes)).astype(float)
            return dict.fromkeys(config.MODEL_NAMES, said)

        def components(X: NDArray[np.uint8], _: object) -> NDArray[np.uint8]:
            return X

        part = {"components": components, "probabilities": probabilities, "reference_labels": labels}
        known_classes = SimpleNamespace(classes_=train.classes)
        return [SimpleNamespace(**part, labels=known_classes, experiment=EXPERIMENTS[0])]

    monkeypatch.setattr(judging, "fit_experiments", fit)
    monkeypatch.setattr(judging, "embeddings", lambda *_: {})
    return noted


def shifted(X: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.roll(X.reshape(-1, 48, 48), (1, 1), axis=(1, 2)).reshape(X.shape)


def nobody(faces: Faces) -> NDArray[np.bool_]:
    return np.zeros(len(faces), dtype=bool)


def judged(faces: Faces, crossed: CrossValidation) -> judging.Judged:
    ensemble, split = SimpleNamespace(classes=faces.classes), SimpleNamespace(train=faces)
    return judge(ensemble, split, crossed=crossed)  # type: ignore[arg-type]


def test_each_face_is_judged_in_each_round_by_models_that_had_not_learnt_it(rounds: list[Round]) -> None:
    """What was learnt by heart would be praised: these models would be right on all faces, and are on none but one
    class.
    """
    faces = synthetic_faces((30, 25, 12))
    crossed = cross_validate(faces, nobody(faces), FAST, progress=False)
    assert crossed.why == ""
    assert Counter(bytes(face) for of in rounds for face in of.asked) == {bytes(face): 2 for face in faces.X}
    assert (crossed.said.argmax(axis=3) == 0).all()
    assert len(rounds) == judging.FOLDS * judging.REPEATS
    vote = judged(faces, crossed).main[VOTE]
    assert vote.confusion.tolist() == [[30, 0, 0], [25, 0, 0], [12, 0, 0]]
    for of in rounds:  # folds are alike, and so is what is learnt
        assert len(of.learnt) in range(59, 62)
        counts = of.learnt.counts()
        assert (counts["Angry"], counts["Happy"] - 22, counts["Sad"] - 10) <= (27, 1, 1)


def test_near_copies_never_stand_on_both_sides(rounds: list[Round]) -> None:
    """Of a video's pictures, each would be judged by models that had learnt the one before. Also of copies that
    networks know.
    """
    faces = synthetic_faces((30, 25, 15))
    X = np.concatenate([faces.X, shifted(faces.X[::2]), shifted(shifted(faces.X[::4]))])
    y = np.concatenate([faces.y, faces.y[::2], faces.y[::4]])
    known = np.arange(len(X)) % 5 == 0
    crossed = cross_validate(Faces(X, y), known, FAST, progress=False)
    assert (crossed.rows == np.flatnonzero(~known)).all()
    asked = Counter(bytes(face) for of in rounds for face in of.asked)
    assert asked == {bytes(face): 2 for face in X[~known]}
    for of in rounds:
        assert not copies_between(of.learnt.X, of.asked)[0].any()


def test_known_faces_are_always_learnt_from_and_never_judged(rounds: list[Round]) -> None:
    """Networks tell them apart too well, so they say nothing of new faces; but as examples they are as good as any."""
    faces = synthetic_faces((30, 25, 15))
    known = np.arange(70) % 3 == 0
    crossed = cross_validate(faces, known, FAST, progress=False)
    assert not known[crossed.rows].any()
    for of in rounds:
        learnt, asked = (set(map(bytes, X)) for X in (of.learnt.X, of.asked))
        alike = copies_between(faces.X[known], of.asked)[0]
        assert learnt >= set(map(bytes, faces.X[known][~alike]))
        assert not asked & set(map(bytes, faces.X[known]))


def test_copies_of_known_faces_are_not_judged_and_many_copies_say_little(rounds: list[Round]) -> None:
    """Networks tell a shifted copy apart too well; and thirty pictures of one moment are one face, thirty times."""
    faces = synthetic_faces((20, 20, 0))
    X = np.concatenate([faces.X, shifted(faces.X[:10]), shifted(shifted(faces.X[:10]))])
    both = Faces(X, np.concatenate([faces.y, faces.y[:10], faces.y[:10]]))
    known = np.arange(60) < 5
    crossed = cross_validate(both, known, FAST, progress=False)
    assert crossed.rows.tolist() == [*range(5, 40), *range(45, 50), *range(55, 60)]
    assert crossed.independent == pytest.approx(INDEPENDENT * 45 / (30 + 5 * 3**2))
    [low, high], [lower, higher] = interval(30, 45), interval(30, 45, crossed.independent)
    assert higher - lower > 1.2 * (high - low)


@pytest.mark.parametrize(
    ("faces", "known", "why"),
    [
        (
            lambda: synthetic_faces((10, 10, 0)),
            lambda row: row > 4,
            "The networks know 15 of the 20 faces; 10 others are",
        ),
        (
            lambda: Faces(
                np.repeat(synthetic_faces((20, 1, 0)).X, [1] * 20 + [9], axis=0), np.repeat(CLASSES[:2], [20, 9])
            ),
            lambda row: row < 0,
            "Of Happy there is one face alone, or all are near-copies of one another.",
        ),
    ],
    ids=["known", "copies"],
)
def test_what_cannot_be_judged_is_told(
    rounds: list[Round], faces: Callable[[], Faces], known: Callable[[NDArray[np.intp]], NDArray[np.bool_]], why: str
) -> None:
    """And nothing else is said of such models."""
    some = faces()
    crossed = cross_validate(some, known(np.arange(len(some))), FAST, progress=False)
    assert crossed.why.startswith(why)
    summary = judged(some, crossed).summary()
    assert summary == {"judged": {"by": "nothing", "faces": 0, "why": crossed.why}, "scores": {}}
    assert result_lines(summary) == f"How good the models are was not measured. {crossed.why}"


def made_up(n: int, seed: int = 0) -> tuple[Faces, CrossValidation]:
    """Faces of three classes, and what models of two rounds that do not quite agree say of them."""
    random = np.random.default_rng(seed)
    codes = np.sort(random.integers(0, 3, n))
    codes[:3] = (0, 1, 2)
    said = random.dirichlet((1, 1, 1), (2, n, 5)) + 0.5 * np.eye(3)[codes][:, None]
    labels = np.array(CLASSES)
    references = {"dummy": np.full((2, n), "Angry"), "unresampled": labels[random.integers(0, 3, (2, n))]}
    return Faces(np.zeros((n, 2304), np.uint8), labels[codes]), CrossValidation(np.arange(n), said / 1.5, references)


@pytest.mark.parametrize("n", [17, FEW - 1, FEW + 51])
def test_the_matrix_the_score_and_what_is_told_agree(n: int) -> None:
    """Two rounds are halved: a row that lost a face, or a share of another sum, would be found by whoever adds up."""
    faces, crossed = made_up(n)
    result = judged(faces, crossed)
    summary = result.summary()
    assert summary["judged"] == {"by": "cross-validation", "faces": n, "folds": 10, "repeats": 2}
    assert set(summary["scores"]) == {"dummy", "unresampled", *config.MODEL_NAMES, VOTE}
    for name, parts in summary["scores"].items():
        [figures] = parts.values()
        assert figures["independent"] == INDEPENDENT
        assert {label: of["faces"] for label, of in figures["classes"].items()} == faces.counts()
        assert sum(of["right"] for of in figures["classes"].values()) == round(figures["accuracy"] * n), name
    rows = np.array(summary["confusion"]["rows"])
    assert rows.sum(axis=1).tolist() == list(faces.counts().values())
    assert summary["confusion"]["part"] == "cross_validation"
    right = int(rows.trace())
    assert summary["scores"][VOTE]["cross_validation"]["accuracy"] == pytest.approx(right / n, abs=1e-6)
    mean = np.mean([np.array(CLASSES)[said.mean(axis=1).argmax(axis=1)] == faces.y for said in crossed.said])
    assert abs(right / n - mean) < 0.1  # the vote counts ballots, not means
    [vote] = [line for line in result_lines(summary).splitlines() if line.startswith("vote of the five")]
    assert (f"{right} of {n} (" in vote) == (n < FEW)
    assert (result.reliability is None) == (n < FEW)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_networks(tmp_path_factory.mktemp("networks"))


def test_a_large_set_that_networks_know_is_not_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 25,000 faces, that would take gigabytes, and twenty trainings of minutes."""
    monkeypatch.setattr(judging, "copy_groups", None)  # not to be called
    monkeypatch.setattr(judging, "fit_experiments", None)
    faces = synthetic_faces((500, 500, 0))
    crossed = cross_validate(faces, np.arange(1000) % 50 > 0, FAST, progress=False)
    assert crossed.why == "The networks know 980 of the 1,000 faces: too few are left."
    assert len(crossed.rows) == 0


def test_models_that_cannot_be_judged_are_trained_all_the_same(networks: Path, tmp_path: Path) -> None:
    """Of twelve faces, none can be left out; the card says that nobody knows how good the models are."""
    table = write_table(tmp_path / "data.csv", synthetic_faces((6, 6, 0)))
    manifest = training.train(table, None, tmp_path / "models", FAST, networks=networks, progress=False)
    assert manifest["judged"]["by"] == "nothing"
    assert manifest["judged"]["why"].startswith("With a part of the faces left out, they cannot be learnt. ")
    assert manifest["rows"]["train"] == 12
    assert read_manifest(tmp_path / "models") == manifest
    assert len(load_models(tmp_path / "models").vote(synthetic_faces((3, 0, 0)).X)) == 3
    card = (tmp_path / "models" / "README.md").read_text(encoding="utf-8")
    assert f"How good they are was not measured. {manifest['judged']['why']}" in " ".join(card.split())
    assert not list((tmp_path / "models").glob("*.png"))


def test_small_sets_are_judged_by_cross_validation(
    networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the models that there are: all faces are learnt from, and all that the networks do not know are judged."""
    monkeypatch.setattr(judging, "FOLDS", 3)
    monkeypatch.setattr(judging, "REPEATS", 1)
    known = tmp_path / "networks"
    known.mkdir()
    for file in networks.iterdir():
        (known / file.name).write_bytes(file.read_bytes())
    faces = synthetic_faces((40, 30, 0))
    SeenFaces(face_codes(faces.X[:8]), NO_CODES).write(known)
    table = write_table(tmp_path / "data.csv", faces)
    manifest = training.train(table, None, tmp_path / "models", FAST, networks=known, progress=False)
    assert manifest["judged"] == {"by": "cross-validation", "faces": 62, "folds": 3, "repeats": 1}
    assert (manifest["rows"]["train"], manifest["rows"]["test"], manifest["rows"]["validation"]) == (70, 0, 0)
    assert manifest["scores"][VOTE]["cross_validation"]["accuracy"] > 0.8
    assert (tmp_path / "models" / "final_model.png").is_file()


def test_a_fault_in_the_training_of_a_fold_is_not_taken_for_too_few_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no error of the faces must be seen."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    faces = synthetic_faces((10, 10, 0))
    monkeypatch.setattr(judging, "fit_experiments", broken)
    with pytest.raises(ZeroDivisionError):
        cross_validate(faces, nobody(faces), FAST, progress=False)
