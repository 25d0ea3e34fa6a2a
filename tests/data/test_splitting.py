"""A score is only true if no test face, nor a copy of one, was learnt from."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.data.dataset import Faces
from emotion.data.seen import copies_between, face_codes, known
from emotion.data.splitting import distinct_rows, hold_out, split_faces
from emotion.errors import DatasetError
from tests.synthetic import synthetic_faces


def faces_of(X: NDArray[np.uint8], *labels: str) -> Faces:
    return Faces(X, np.array(labels))


def photographs(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures as different from each other as photographs are: soft random shapes."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (n, 8, 8), np.uint8)
    return np.stack([cv2.resize(picture, (48, 48), interpolation=cv2.INTER_CUBIC).ravel() for picture in coarse])


def test_repetitions_are_learnt_once() -> None:
    X = photographs(2)[[0, 1, 0, 0]]
    keep, conflicting = distinct_rows(faces_of(X, "Happy", "Sad", "Happy", "Happy"))
    assert keep.tolist() == [True, True, False, False]
    assert not conflicting.any()


def test_a_picture_with_two_labels_is_not_learnt_at_all() -> None:
    X = photographs(2)[[0, 1, 0]]
    keep, conflicting = distinct_rows(faces_of(X, "Happy", "Sad", "Angry"))
    assert keep.tolist() == [False, True, False]
    assert conflicting.tolist() == [True, False, True]


def changed(picture: NDArray[np.uint8], how: str) -> NDArray[np.uint8]:
    square = picture.reshape(48, 48).astype(np.float32)
    if how == "darker":
        square = square * 0.6
    elif how == "less contrast":
        square = square * 0.5 + 64
    elif how.startswith("shifted"):
        square = np.roll(square, (int(how[-1]), -int(how[-1])), axis=(0, 1))
    elif how == "mirrored":
        square = square[:, ::-1]
    elif how == "noisy":
        square = square + np.random.default_rng(5).normal(0, 15, square.shape)
    elif how == "marked":
        square[20:26, 6:42] += 0.3 * (255 - square[20:26, 6:42])  # as a pale watermark
    return np.clip(square, 0, 255).astype(np.uint8).ravel()


@pytest.mark.parametrize(
    "how", ["exact", "darker", "less contrast", "shifted 1", "shifted 3", "mirrored", "noisy", "marked"]
)
def test_copies_are_found_though_they_were_changed(how: str) -> None:
    originals = photographs(30)
    copies = np.stack([changed(picture, how) for picture in originals[:10]])
    in_originals, copy_of = copies_between(originals, copies)
    assert in_originals.tolist() == [True] * 10 + [False] * 20
    assert copy_of.tolist() == list(range(10))


def test_of_several_copies_the_likest_is_named() -> None:
    """Wherever it stands among them: its label is the one that a model would remember."""
    for seed in range(20):
        face = photographs(1, seed)[0]
        copies = np.stack([changed(face, "noisy"), changed(face, "shifted 3"), face, changed(face, "mirrored")])
        for turn in range(4):
            _, copy_of = copies_between(np.roll(copies, turn, axis=0), face[None])
            assert copy_of.tolist() == [(2 + turn) % 4]


def test_different_photographs_are_no_copies() -> None:
    in_a, copy_of = copies_between(photographs(300, seed=1), photographs(300, seed=2))
    assert not in_a.any()
    assert (copy_of == -1).all()


def test_pictures_of_one_grey_are_copies_of_nothing() -> None:
    grey = np.full((3, 2304), 128, np.uint8)
    assert not copies_between(grey, np.concatenate([grey, photographs(3)]))[0].any()


def test_copies_of_given_test_faces_leave_the_training_rows() -> None:
    train_X, test_X = photographs(20, seed=3), photographs(4, seed=4)
    leaking = np.concatenate([train_X, changed(test_X[0], "darker")[None], test_X[1:2]])
    labels = ["Happy", "Sad"] * 11
    split = split_faces(faces_of(leaking, *labels), faces_of(test_X, "Happy", "Happy", "Sad", "Sad"))
    assert split.copies_removed == 2
    assert len(split.train) + len(split.validation) == 20
    assert split.test_copied.tolist() == [True, True, False, False]
    assert split.copy_labels.tolist() == ["Happy", "Sad", "", ""]
    assert (test_X == split.test.X).all()  # the test part is measured on as it was given


def test_a_held_out_part_shares_no_picture_with_the_rest() -> None:
    """Also where the table itself repeats its pictures."""
    X = photographs(60, seed=6)
    repeated = np.concatenate([X, X, np.stack([changed(picture, "darker") for picture in X])])
    split = split_faces(faces_of(repeated, *(["Happy", "Sad"] * 90)))
    assert not copies_between(split.train.X, split.test.X)[0].any()
    assert not copies_between(split.validation.X, split.test.X)[0].any()
    assert split.duplicates_removed == 60


def test_choices_are_made_on_faces_that_nothing_was_fitted_to() -> None:
    """Else networks would be chosen, and probabilities calibrated, by what was learnt by heart."""
    X = photographs(100, seed=8)
    faces = faces_of(
        np.concatenate([X, np.stack([changed(picture, "darker") for picture in X])]), *["Happy", "Sad"] * 100
    )
    split = split_faces(faces)
    assert len(split.validation) == 13  # a tenth of the 124 that are neither test faces nor copies of them
    assert not copies_between(split.train.X, split.validation.X)[0].any()
    assert split.validation_copies_removed > 0
    assert (split_faces(faces).validation.X == split.validation.X).all()
    assert split.fingerprint != split_faces(faces, seed=1).fingerprint


def test_each_class_is_held_out_in_proportion_and_the_same_each_time() -> None:
    faces = synthetic_faces((100, 50, 10))
    rest, held_out = hold_out(faces, 0.2, seed=1)
    assert held_out.counts() == {"Angry": 20, "Happy": 10, "Sad": 2}
    assert len(rest) + len(held_out) == len(faces)
    assert (hold_out(faces, 0.2, seed=1)[1].X == held_out.X).all()
    assert not (hold_out(faces, 0.2, seed=2)[1].X == held_out.X).all()


@pytest.mark.parametrize(
    ("per_class", "sentence"),
    [((5, 0, 0), "at least two emotions"), ((5, 5, 1), "too few of: Sad"), ((2, 2, 2), "too few to set a part")],
)
def test_too_few_faces_are_told(per_class: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        split_faces(synthetic_faces(per_class))


def test_a_test_part_with_an_unknown_emotion_is_told() -> None:
    with pytest.raises(DatasetError, match="lack: Sad"):
        split_faces(synthetic_faces((9, 9, 0)), synthetic_faces((3, 3, 3), seed=1))


def test_a_test_part_that_the_training_part_holds_is_told() -> None:
    """Its score would be worth nothing, and only be missed after all the training."""
    X = photographs(8, seed=7)
    labels = ["Happy", "Sad"] * 4
    with pytest.raises(DatasetError, match="Every test face is also a training face"):
        split_faces(faces_of(X, *labels), faces_of(X[:2], *labels[:2]))
    with pytest.raises(DatasetError, match="Every test face is also a training face"):
        split_faces(faces_of(X, *labels), faces_of(X, *labels))


@pytest.mark.parametrize("how", ["exact", "darker", "less contrast", "mirrored", "saved anew", "enlarged"])
def test_faces_that_were_learnt_from_are_known_in_another_file_too(how: str) -> None:
    """Data sets take over each other's pictures, and save them anew."""
    learnt, others = synthetic_faces((40, 40, 40)).X, synthetic_faces((40, 40, 40), seed=1).X
    again = np.stack([_saved_anew(face, how) for face in learnt])
    assert known(again, face_codes(learnt)).all()
    assert not known(others, face_codes(learnt)).any()


def _saved_anew(face: NDArray[np.uint8], how: str) -> NDArray[np.uint8]:
    if how == "enlarged":
        larger = cv2.resize(face.reshape(48, 48), (224, 224), interpolation=cv2.INTER_CUBIC)
        return cv2.resize(larger, (48, 48), interpolation=cv2.INTER_AREA).ravel()
    if how == "saved anew":
        file = cv2.imencode(".jpg", face.reshape(48, 48), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), dtype=np.uint8).ravel()
    return changed(face, how)


def test_choices_are_not_made_on_faces_that_networks_learnt_from() -> None:
    """With another test part than the networks' own, most would be: votes would be sure of what was learnt by heart."""
    faces, test = synthetic_faces((60, 60, 60)), synthetic_faces((10, 10, 10), seed=1)
    seen = face_codes(split_faces(faces, seed=1).train.X)
    assert known(split_faces(faces, test).validation.X, seen).any()
    split = split_faces(faces, test, seen=seen)
    assert not known(split.validation.X, seen).any()
    assert split.validation.counts() == split_faces(faces, test).validation.counts()
    assert len(split.train) + len(split.validation) == len(faces)
    with pytest.raises(DatasetError, match="had learnt from every face of: Happy"):
        split_faces(faces, test, seen=np.concatenate([seen, face_codes(faces[faces.y == "Happy"].X)]))


def test_copies_of_faces_that_networks_learnt_from_are_no_faces_without_copies() -> None:
    """They are easier than others, though what they are copies of is not among the training rows."""
    learnt = photographs(60)
    shifted = np.stack([changed(face, "shifted 1") for face in learnt])
    X = np.concatenate([learnt, shifted, photographs(120, seed=1)])
    faces = faces_of(X, *["Happy", "Sad"] * 120)
    split = split_faces(faces, seen=face_codes(learnt))
    copy_of = copies_between(learnt, split.test.X)[1]
    copies = copy_of >= 0
    assert copies.any()
    assert not known(split.test.X, face_codes(learnt)).any()
    assert split.test_copied[copies].all()
    assert (split.copy_labels[copies] == faces.y[copy_of[copies]]).all()


def test_the_class_that_is_too_small_is_named() -> None:
    faces = faces_of(photographs(63), *["Happy"] * 30, *["Sad"] * 30, *["Tense"] * 3)
    with pytest.raises(DatasetError, match="Too few different faces of: Tense"):
        split_faces(faces)
