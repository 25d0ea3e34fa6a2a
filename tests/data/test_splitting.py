"""A score is only true if no test face, nor a copy of one, was learnt from."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.data.dataset import Faces
from emotion.data.seen import copies_between, distinct_rows, face_codes, known
from emotion.data.splitting import describe_split, hold_out, split_faces
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


def one_picture(n: int) -> NDArray[np.uint8]:
    """The same, in so many lights."""
    return (photographs(1, seed=2) * np.linspace(0.6, 1, n)[:, None]).astype(np.uint8)


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
    split = split_faces(faces_of(repeated, *(["Happy", "Sad"] * 90)), all_parts=True)
    assert not copies_between(split.train.X, split.test.X)[0].any()
    assert not copies_between(split.validation.X, split.test.X)[0].any()
    assert split.duplicates_removed == 60


def test_choices_are_made_on_faces_that_nothing_was_fitted_to() -> None:
    """Else networks would be chosen, and probabilities calibrated, by what was learnt by heart."""
    X = photographs(100, seed=8)
    faces = faces_of(
        np.concatenate([X, np.stack([changed(picture, "darker") for picture in X])]), *["Happy", "Sad"] * 100
    )
    split = split_faces(faces, all_parts=True)
    assert len(split.validation) == 13  # a tenth of the 124 that are neither test faces nor copies of them
    assert not copies_between(split.train.X, split.validation.X)[0].any()
    assert split.validation_copies_removed > 0
    assert (split_faces(faces, all_parts=True).validation.X == split.validation.X).all()
    assert split.fingerprint != split_faces(faces, seed=1, all_parts=True).fingerprint


def test_each_class_is_held_out_in_proportion_and_the_same_each_time() -> None:
    faces = synthetic_faces((100, 50, 10))
    rest, held_out = hold_out(faces.y, 0.2, seed=1)
    assert faces[held_out].counts() == {"Angry": 20, "Happy": 10, "Sad": 2}
    assert sorted([*rest, *held_out]) == list(range(len(faces)))
    assert (hold_out(faces.y, 0.2, seed=1)[1] == held_out).all()
    assert not (hold_out(faces.y, 0.2, seed=2)[1] == held_out).all()


@pytest.mark.parametrize(
    ("per_class", "sentence"),
    [
        ((5, 0, 0), "All faces are of one emotion, Angry; training needs at least two"),
        ((5, 5, 1), "^Sad has 1 different face; 3 are needed.$"),
        ((2, 2, 2), "^Angry has 2 different faces, Happy 2 and Sad 2; 3 of each are needed.$"),
        ((3, 3, 3), "^9 different faces are too few to set some of each of 3 emotions aside; 11 are needed.$"),
    ],
)
def test_too_few_faces_are_told(per_class: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        split_faces(synthetic_faces(per_class), all_parts=True)


def test_pictures_that_are_all_labelled_in_two_ways_leave_nothing_to_tell_apart() -> None:
    """Nobody would look for faces of one emotion in a table of two."""
    X = photographs(6)
    twice = faces_of(np.concatenate([X, X[:3]]), *["Happy"] * 3, *["Sad"] * 3, *["Angry"] * 3)
    with pytest.raises(DatasetError, match="Each face of Angry, Happy was left out: the same pictures are also label"):
        split_faces(twice)


def test_a_test_part_with_an_unknown_emotion_is_told() -> None:
    """As of two tables that do not belong together."""
    with pytest.raises(DatasetError, match=r"training faces lack: Sad\. The training faces have: Angry, Happy\."):
        split_faces(synthetic_faces((9, 9, 0)), synthetic_faces((3, 3, 3), seed=1))


def test_a_test_part_that_holds_all_faces_of_an_emotion_is_told_as_that() -> None:
    """The training faces had them: somebody who looks for a missing label would look in vain."""
    X, others = photographs(9), photographs(9, seed=1)
    train = faces_of(X, *["Angry"] * 3, *["Happy"] * 3, *["Sad"] * 3)
    test = faces_of(np.concatenate([others, X[6:]]), *["Angry"] * 5, *["Happy"] * 4, *["Sad"] * 3)
    with pytest.raises(DatasetError, match=r"Every training face of Sad is also a test face.*\(3 of 9 training faces"):
        split_faces(train, test)


def test_faces_of_an_emotion_that_are_all_one_picture_are_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gave test faces: those that were set aside are none that one could leave away."""
    monkeypatch.setattr("emotion.data.splitting.SMALL", 50)
    faces = faces_of(np.concatenate([photographs(60), one_picture(20)]), *["Happy", "Sad"] * 30, *["Tense"] * 20)
    with pytest.raises(DatasetError, match=r"^Tense has 0 different faces after test faces and near-copies of test"):
        split_faces(faces)


def test_a_test_part_that_the_training_part_holds_is_told() -> None:
    """Its score would be worth nothing, and only be missed after all the training."""
    X = photographs(8, seed=7)
    labels = ["Happy", "Sad"] * 4
    with pytest.raises(DatasetError, match=r"Every test face is also a training face, or nearly so \(2 of 2\)"):
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
    seen = face_codes(split_faces(faces, seed=1, all_parts=True).train.X)
    without = split_faces(faces, test, all_parts=True)
    assert known(without.validation.X, seen).any()
    split = split_faces(faces, test, seen=seen, all_parts=True)
    assert not known(split.validation.X, seen).any()
    assert split.validation.counts() == without.validation.counts()
    assert len(split.train) + len(split.validation) == len(faces)


def test_a_part_to_calibrate_by_is_as_large_as_it_says_or_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What networks know of an emotion cannot be chosen by; a handful that is left would be no measure."""
    monkeypatch.setattr("emotion.data.splitting.LEAST_VALIDATION", 15)
    faces, test = synthetic_faces((60, 60, 60)), synthetic_faces((10, 10, 10), seed=1)
    assert len(split_faces(faces, test).validation) == 18
    split = split_faces(faces, test, seen=face_codes(faces[faces.y == "Happy"].X))
    assert len(split.validation) == 0
    assert len(split.train) == 180
    assert "No faces are set aside to calibrate by" in describe_split(split)


def test_copies_of_faces_that_networks_learnt_from_are_no_faces_without_copies() -> None:
    """They are easier than others, though what they are copies of is not among the training rows."""
    learnt = photographs(60)
    shifted = np.stack([changed(face, "shifted 1") for face in learnt])
    X = np.concatenate([learnt, shifted, photographs(120, seed=1)])
    faces = faces_of(X, *["Happy", "Sad"] * 120)
    split = split_faces(faces, seen=face_codes(learnt), all_parts=True)
    copy_of = copies_between(learnt, split.test.X)[1]
    copies = copy_of >= 0
    assert copies.any()
    assert not known(split.test.X, face_codes(learnt)).any()
    assert split.test_copied[copies].all()
    assert (split.copy_labels[copies] == faces.y[copy_of[copies]]).all()


def test_the_class_that_is_too_small_is_named() -> None:
    """Twelve rows, and yet a single picture: what is left of them to learn from would be copies."""
    test = faces_of(photographs(8, seed=1), *["Happy", "Sad"] * 4)
    faces = faces_of(np.concatenate([photographs(60), one_picture(12)]), *["Happy", "Sad"] * 30, *["Tense"] * 12)
    with pytest.raises(
        DatasetError,
        match=r"^Tense has 0 different faces after faces to calibrate by and near-copies of these went; 3 are needed",
    ):
        split_faces(faces, test, all_parts=True)


def test_of_few_faces_nothing_is_set_aside() -> None:
    """A fifth of two hundred faces would say little of the models, and be missed in what they learn."""
    faces = synthetic_faces((90, 80, 30))
    split = split_faces(faces)
    assert (len(split.train), len(split.validation), len(split.test)) == (200, 0, 0)
    told = describe_split(split)
    assert "No faces are set aside to calibrate by" in told
    assert "No faces are set aside to test on: of fewer than 1,000 faces" in told


def test_of_many_faces_parts_are_set_aside_and_each_face_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table that is printed before the training adds up, class by class; else faces would seem to be lost."""
    monkeypatch.setattr("emotion.data.splitting.SMALL", 100)
    monkeypatch.setattr("emotion.data.splitting.LEAST_VALIDATION", 10)
    faces = synthetic_faces((80, 60, 40))
    X = np.concatenate([faces.X, faces.X[:9], np.stack([changed(face, "darker") for face in faces.X[::3]])])
    y = np.concatenate([faces.y, ["Angry"] * 5, ["Sad"] * 4, faces.y[::3]])
    split = split_faces(Faces(X, y))
    parts = ("repeated", "copies", "train", "validation", "test")
    assert {label: of["given"] for label, of in split.classes.items()} == Faces(X, y).counts()
    for label, of in split.classes.items():
        assert sum(of[part] for part in parts) == of["given"], label
        assert of["known"] == 0
    assert split.copies_removed > 0
    assert split.validation_copies_removed > 0
    assert (split.duplicates_removed, split.conflicts_removed) == (5, 8)
    for part, held in (("train", split.train), ("validation", split.validation), ("test", split.test)):
        assert {label: of[part] for label, of in split.classes.items()} == held.counts()
    all_of_them = describe_split(split).splitlines()[len(split.classes) + 1].split()
    assert all_of_them[:3] == ["all", f"{split.given}", "13"]


def test_faces_that_networks_know_are_never_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever part they are, and whoever made it; and the line before the training says how many there are."""
    faces, test = synthetic_faces((80, 60, 40)), synthetic_faces((20, 20, 20), seed=1)
    seen = np.concatenate([face_codes(faces.X[::3]), face_codes(test.X[::4])])
    small = split_faces(faces, seen=seen)
    assert small.train_known.tolist() == [row % 3 == 0 for row in range(180)]
    given = split_faces(faces, test, seen=seen)
    assert (len(given.test), given.seen_removed) == (45, 15)
    assert sum(of["known"] for of in given.classes.values()) == 75
    assert "had learnt from 75 of these faces; nothing is measured on them, and 15 of" in describe_split(given)
    monkeypatch.setattr("emotion.data.splitting.SMALL", 120)
    monkeypatch.setattr("emotion.data.splitting.LEAST_VALIDATION", 10)
    large = split_faces(faces, seen=seen)
    assert len(large.test) > 20
    assert len(large.validation) >= 10
    assert large.seen_removed == 0, "what is set aside is drawn from the others"
    for split in (given, large):
        assert not known(split.test.X, seen).any()
        assert not known(split.validation.X, seen).any()
        assert (split.train_known == known(split.train.X, seen)).all()
    left_out = large.seen_removed + large.copies_removed + large.validation_copies_removed
    assert len(large.train) + len(large.validation) + len(large.test) + left_out == 180
    monkeypatch.setattr("emotion.data.splitting.SMALL", 181)
    assert len(split_faces(faces, seen=seen).test) == 0
    with pytest.raises(DatasetError, match=r"had learnt from every test face \(15 of 15\)"):
        split_faces(faces, test[::4], seen=seen)


def test_fifty_copies_of_a_face_are_one_face() -> None:
    """Who counts the files of such a folder would look for the fault elsewhere."""
    faces = faces_of(photographs(2).repeat(50, axis=0), *["Happy"] * 50, *["Sad"] * 50)
    told = r"^Happy has 1 different face and Sad 1 after repetitions went; 3 of each are needed\.$"
    for all_parts in (False, True):
        with pytest.raises(DatasetError, match=told):
            split_faces(faces, all_parts=all_parts)


def test_faces_of_a_small_class_are_counted_behind_all_that_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only what went of that class is named: other classes' repetitions are not to blame."""
    monkeypatch.setattr("emotion.data.splitting.SMALL", 20)
    small = photographs(8, seed=3)
    X = np.concatenate([photographs(60), small[[0, 1, 2, 2]], small[4:7]])
    faces = faces_of(X, *["Happy", "Sad"] * 30, *["Fear"] * 4, *["Tense"] * 3)
    with pytest.raises(
        DatasetError, match=r"^Fear has 2 different faces and Tense 2 after repetitions and test faces "
    ):
        split_faces(faces)
    others = np.concatenate([X[:60], X[:9], small[4:7]])
    with pytest.raises(DatasetError, match=r"^Tense has 2 different faces after test faces went; 3 are needed\.$"):
        split_faces(faces_of(others, *["Happy", "Sad"] * 30, *(["Happy", "Sad"] * 5)[:9], *["Tense"] * 3))


def test_an_emotion_whose_faces_are_all_test_faces_of_another_name_is_told() -> None:
    """Models of one emotion would come out of it, or a fault of a library."""
    X = photographs(20)
    data = faces_of(X, *["Happy"] * 10, *["Sad"] * 10)
    test = faces_of(np.concatenate([X[10:], photographs(3, seed=9)]), *["Happy"] * 13)
    with pytest.raises(DatasetError, match=r"^Sad has 0 different faces after near-copies of test faces went; 3 are n"):
        split_faces(data, test)


def test_copies_of_given_test_faces_are_counted_among_what_went() -> None:
    X = photographs(20)
    data = faces_of(X, *["Happy"] * 10, *["Sad"] * 8, *["Fear"] * 2)
    test = faces_of(np.concatenate([X[18:19], photographs(4, seed=9)]), *["Happy"] * 3, *["Sad"] * 2)
    with pytest.raises(DatasetError, match=r"^Fear has 2 different faces; 3 are needed\.$"):
        split_faces(data, test)
    more = faces_of(np.concatenate([X, photographs(1, seed=5)]), *data.y.tolist(), "Fear")
    with pytest.raises(DatasetError, match=r"^Fear has 2 different faces after near-copies of test faces went; 3 are "):
        split_faces(more, test)
