"""Pictures of which something is known -> how often what comes of them is right: votes, where expressions are known,
and boxes, where it is known where faces are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from emotion.data.folders.listing import picture_files
from emotion.data.folders.reading import read_pictures
from emotion.errors import DatasetError, ImageError
from emotion.faces.crop import DETECTORS
from emotion.faces.decode import decode_image
from emotion.faces.files.walks import PassedOver
from emotion.faces.tracking import overlap
from emotion.runtime.storage import Folder
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import read_manifest
from emotion.vote.recognizer import Recognizer
from emotion.vote.voting import Vote

LEAST_COUNTED_SIDE: Final = 40
"""Pixels of the shorter side, from which on a face, or a box on none, is counted."""
FOUND_OVERLAP: Final = 0.3
"""A box with at least so much of what it covers together with a face (intersection over union) has found it."""

_BINS: Final = 10


@dataclass(frozen=True)
class Outcome:
    """What became of a picture.

    Attributes
    ----------
    label : str, what it shows
    vote : Vote on its largest face, or None where no face was found
    """

    label: str
    vote: Vote | None

    @property
    def is_right(self) -> bool:
        """Whether a face was found and voted for what the picture shows."""
        return self.vote is not None and self.vote.label == self.label


def measure_pictures(
    folder: Path | str, models: Ensemble, *, detector: str = "yunet", progress: bool = True
) -> tuple[list[Outcome], int, PassedOver]:
    """Go the whole way with each picture of ``folder/<emotion>/``.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
    models : Ensemble
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    outcomes : list of Outcome, of the pictures that could be read
    unreadable : int, how many others there are
    passed_over : PassedOver, files that are no pictures, or lie where none are looked for

    Raises
    ------
    DatasetError
        If the folder has no pictures in folders of their emotions, or has emotions that the models do not know.
    DetectorError
        If the detector's file is missing or is another one.
    StorageError
        If a folder cannot be listed, or is gone.
    """
    source = Folder(folder)
    pictures = picture_files(source)
    if unknown := sorted(set(pictures.labels) - set(models.classes)):
        raise DatasetError(f"The models know {', '.join(models.classes)}, but not: {', '.join(unknown)}.")
    recognizer = Recognizer(models, DETECTORS[detector]())
    outcomes, unreadable = [], 0
    for picture, decoded in read_pictures(source, pictures, progress=progress):
        if decoded is None:
            unreadable += 1
            continue
        faces = recognizer.recognize_in(decoded)
        outcomes.append(Outcome(picture.label, faces[0].vote if faces else None))
    return outcomes, unreadable, pictures.passed_over


def outcome_lines(outcomes: Sequence[Outcome]) -> str:
    """Say for the terminal how often the whole way was right.

    Parameters
    ----------
    outcomes : sequence of Outcome, at least one

    Returns
    -------
    str, a table of a line for each expression and one for all, then what votes claim and how often these are right
    """
    from emotion.training.evaluation import told

    labels = sorted({outcome.label for outcome in outcomes})
    lines = [f"{'':<14} {'pictures':>9} {'a face found':>13}   {'found and right':<24} right of the found"]
    for name, some in [*((label, [o for o in outcomes if o.label == label]) for label in labels), ("all", outcomes)]:
        found, right = sum(o.vote is not None for o in some), sum(o.is_right for o in some)
        lines.append(
            f"{name:<14} {len(some):>9,} {found:>13,}   {told(right, len(some)):<24} {told(right, found)}".rstrip()
        )
    [(commonest, most)] = Counter(outcome.label for outcome in outcomes).most_common(1)
    lines.append(f"Always saying {commonest} would be right on {told(most, len(outcomes))}.")
    voted = [(outcome, outcome.vote) for outcome in outcomes if outcome.vote is not None]
    if voted:
        claimed = np.mean([vote.probabilities[vote.label] for _, vote in voted])
        right = sum(outcome.is_right for outcome, _ in voted)
        unfit = Counter(vote.unfit for _, vote in voted if vote.unfit)
        certain = [outcome.is_right for outcome, vote in voted if not vote.uncertain]
        lines.append(
            f"Votes claim {claimed:.0%} on average, and {told(right, len(voted))} of them are right. "
            f"{len(voted) - len(certain):,} are uncertain"
            + (f"; of the others, {told(sum(certain), len(certain))} are right." if certain else ".")
        )
        if unfit:
            causes = ", ".join(f"{n:,} {cause}" for cause, n in unfit.most_common())
            lines.append(f"Of the uncertain ones, {unfit.total():,} are on faces not fit to be judged: {causes}.")
    return "\n".join(lines)


def summary(outcomes: Sequence[Outcome], natural: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Count for a manifest how often the whole way was right.

    Parameters
    ----------
    outcomes : sequence of Outcome, at least one with a vote
    natural : mapping of each expression to its share among faces as they come, optional

    Returns
    -------
    dict: how many ``pictures``; ``found``, of these, ``right``, of these, ``certain`` and ``certain_right``; what
    their votes have ``claimed`` on average, 0-1; for each of the ``classes``, ``faces`` (pictures of it), how many are
    ``right``, and for how many pictures of any was ``voted`` so. With `natural`, under that name what ``right``,
    ``claimed`` and ``certain_right`` would be, of the found, 0-1, if each expression were as frequent as that.
    ``bins`` of what votes claim, as a manifest's reliability has them.
    """
    from emotion.training.calibration import as_stored, binned

    voted = [(outcome, outcome.vote) for outcome in outcomes if outcome.vote is not None]
    right = np.array([outcome.is_right for outcome, _ in voted])
    claimed = np.array([vote.probabilities[vote.label] for _, vote in voted])
    certain = np.array([not vote.uncertain for _, vote in voted])
    labels = np.array([outcome.label for outcome, _ in voted])
    counts = Counter(outcome.label for outcome in outcomes)
    said = Counter(vote.label for _, vote in voted)
    measured: dict[str, Any] = {
        "pictures": len(outcomes),
        "found": len(voted),
        "right": int(right.sum()),
        "certain": int(certain.sum()),
        "certain_right": int(right[certain].sum()),
        "claimed": round(float(claimed.mean()), 6),
        "classes": {
            label: {"faces": counts[label], "right": int(right[labels == label].sum()), "voted": said[label]}
            for label in sorted(counts)
        },
        "bins": as_stored(*binned(claimed, right, _BINS)),
    }
    if natural:
        of_each = Counter(labels.tolist())
        weights = np.array([natural[label] / of_each[label] for label in labels])
        measured["natural"] = {
            "right": round(float(np.average(right, weights=weights)), 6),
            "claimed": round(float(np.average(claimed, weights=weights)), 6),
            "certain_right": round(float(np.average(right[certain], weights=weights[certain])), 6),
        }
    return measured


def table_lines(models: Ensemble, folder: Path, data: Path | str, votes: Path | str | None = None) -> str:
    """Say for the terminal how often models are right on a table of faces.

    Parameters
    ----------
    models : Ensemble
    folder : Path, from which they were loaded
    data : path or address of a table, as `emotion.data.dataset.read_faces` takes it
    votes : path of FER+'s table of votes on the faces, optional

    Returns
    -------
    str: each model's score and the vote's, what the vote finds of each class, and how far its probabilities hold
    against what such models learnt: labels, or, where there are votes, the shares of people

    Raises
    ------
    DatasetError
        If a table cannot be read, has no faces that the models know the labels of, or votes are not on these faces.
    ModelsError
        If the list of faces that the models learnt from is damaged.
    StorageError
        If the storage behind an address does not answer.
    """
    # Training's libraries, which measuring whole pictures does without.
    from emotion.data.annotators import opinions_on
    from emotion.data.dataset import Faces, faces_to_test, read_faces
    from emotion.data.seen import SEEN_FILE, known, read_seen
    from emotion.training.calibration import reliability
    from emotion.training.evaluation import FEW, VOTE, as_shares, evaluate, score
    from emotion.training.reports import class_frame, reliability_line, score_lines

    faces, told = faces_to_test(read_faces(data))
    opinions = opinions_on(faces, votes, models.classes) if votes else None
    seen, lines = read_seen(folder), [told] if told else []
    if learnt := int(known(faces.X, np.concatenate([seen.networks, seen.models])).sum()):
        lines.append(
            f"{learnt:,} of these {len(faces):,} faces were trained on: their score is no measure of new ones."
        )
    elif not (folder / SEEN_FILE).is_file():
        lines.append(f"{folder} lacks {SEEN_FILE}: if these faces were trained on, this is no measure of new ones.")
    of_people = read_manifest(folder).get("labels") == "votes"
    parts: list[tuple[str, Faces, tuple[str, ...]]] = [("", faces, ())]
    if opinions is not None:
        said = "\nAgainst what at least five of ten people saw (FER+):\n"
        beyond = tuple(sorted(set(opinions.protocol.tolist()) - {*models.classes, ""}))
        parts.append((said, Faces(faces.X, opinions.majority)[opinions.majority != ""], ()))
        if beyond:
            said = f"\nThe same with faces in which they saw {', '.join(beyond)}, as the literature counts:\n"
            parts.append((said, Faces(faces.X, opinions.protocol)[opinions.protocol != ""], beyond))
    if len(faces.classes) == 1:
        lines.append(
            f"All faces are {faces.classes[0]}, one of {len(models.classes)} expressions that the models know: this "
            "says nothing of the others."
        )
    for title, some, unknown in parts:
        scores = evaluate(models, some, unknown)
        commonest = max(some.counts().items(), key=lambda item: item[1])[0]
        always = score(some.y, np.full(len(some), commonest), (*models.classes, *unknown))
        lines += [
            f"{title}{score_lines({f'all {commonest}': always, **scores})}",
            class_frame(scores[VOTE]).to_string(),
        ]
    truth = None if opinions is None else opinions.shares
    if not of_people:
        truth = as_shares(faces.y, models.classes)
    if len(faces) < FEW:
        lines.append(f"\n{len(faces)} faces are too few to say how far the votes' probabilities hold.")
    elif truth is not None:
        measured = reliability(models.model_probabilities(faces.X), truth, models.calibration)
        against = "share of people" if of_people else "labels"
        lines.append(f"\nAgainst the {against}: {reliability_line(measured)}")
    return "\n".join(lines)


@dataclass(frozen=True)
class BoxCounts:
    """How the faces that a detector finds compare with those that people marked.

    Attributes
    ----------
    pictures : int, that could be read
    unreadable : int, how many others there are
    faces : int, marked ones that count
    found : int, of these
    false : int, boxes that count and lie on no marked face
    doubles : int, boxes on a face that has another one
    """

    pictures: int
    unreadable: int
    faces: int
    found: int
    false: int
    doubles: int

    def __str__(self) -> str:
        """A line for the terminal."""
        share = f" ({self.found / self.faces:.1%})" if self.faces else ""
        return (
            f"{self.pictures:,} pictures with {self.faces:,} faces of {LEAST_COUNTED_SIDE} pixels and more: "
            f"{self.found:,} found{share}, {self.faces - self.found:,} missed; {self.false:,} boxes on no face, "
            f"{self.doubles:,} on a face that has another."
        )


def measure_boxes(folder: Path | str, boxes: Path, *, detector: str = "yunet", progress: bool = True) -> BoxCounts:
    """Compare the faces that are found with those that people marked.

    A marked face counts where its shorter side has `LEAST_COUNTED_SIDE` pixels or more and it is not marked as invalid;
    it is found where a box overlaps it by `FOUND_OVERLAP`. A box of that size that overlaps no marked face is false.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
    boxes : Path, of a CSV with the columns file (below `folder`), x, y, w, h (pixels) and, optionally, invalid (1: does
        not count)
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    BoxCounts

    Raises
    ------
    DatasetError
        If the table cannot be read, or none of its pictures is there.
    DetectorError
        If the detector's file is missing or is another one.
    StorageError
        If the folder is gone.
    """
    from emotion.data.tables.boxes import read_boxes

    source, marked, finder = Folder(folder), read_boxes(boxes), DETECTORS[detector]()
    counts: Counter[str] = Counter()
    for name, faces in tqdm(marked.items(), unit="picture", disable=None if progress else True):
        try:
            found = [face.box for face in finder.detect(decode_image(source.read(name)))]
        except ImageError:
            counts["unreadable"] += 1
            continue
        counts["pictures"] += 1
        for box, is_invalid in faces:
            if min(box.w, box.h) >= LEAST_COUNTED_SIDE and not is_invalid:
                counts["faces"] += 1
                counts["found"] += any(overlap(box, other) >= FOUND_OVERLAP for other in found)
        for number, box in enumerate(found):
            if min(box.w, box.h) >= LEAST_COUNTED_SIDE:
                counts["false"] += all(overlap(box, other) < FOUND_OVERLAP for other, _ in faces)
            counts["doubles"] += any(overlap(box, other) >= FOUND_OVERLAP for other in found[:number])
    if not counts["pictures"]:
        raise DatasetError(f"None of the {len(marked):,} pictures that {boxes} names can be read below {folder}.")
    return BoxCounts(**{name: counts[name] for name in BoxCounts.__dataclass_fields__})
