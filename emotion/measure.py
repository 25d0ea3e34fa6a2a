"""Pictures whose expressions are known -> how often the whole way, from picture to vote, is right."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from emotion.data.listing import picture_files
from emotion.errors import DatasetError, ImageError
from emotion.faces.crop import DETECTORS
from emotion.faces.decode import decode_image
from emotion.runtime.storage import Folder
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import Recognizer
from emotion.vote.voting import Vote


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
) -> tuple[list[Outcome], int]:
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
    for picture in tqdm(pictures, unit="picture", disable=not progress):
        try:
            faces = recognizer.recognize(decode_image(source.read(picture.name)))
        except ImageError:
            unreadable += 1
            continue
        outcomes.append(Outcome(picture.label, faces[0].vote if faces else None))
    return outcomes, unreadable


def outcome_lines(outcomes: Sequence[Outcome]) -> str:
    """Say for the terminal how often the whole way was right.

    Parameters
    ----------
    outcomes : sequence of Outcome, at least one

    Returns
    -------
    str, a table of a line for each expression and one for all, then what votes claim and how often these are right
    """
    labels = sorted({outcome.label for outcome in outcomes})
    lines = [f"{'':<14} {'pictures':>9} {'found':>9} {'right':>9} {'of found':>9}"]
    for name, some in [*((label, [o for o in outcomes if o.label == label]) for label in labels), ("all", outcomes)]:
        found, right = sum(o.vote is not None for o in some), sum(o.is_right for o in some)
        lines.append(f"{name:<14} {len(some):>9,} {found:>9,} {right:>9,} {right / found if found else 0:>9.1%}")
    voted = [(outcome, outcome.vote) for outcome in outcomes if outcome.vote is not None]
    if voted:
        claimed = np.mean([vote.probabilities[vote.label] for _, vote in voted])
        right_share = np.mean([outcome.is_right for outcome, _ in voted])
        certain = [outcome.is_right for outcome, vote in voted if not vote.uncertain]
        lines.append(
            f"Votes claim {claimed:.1%} on average, and {right_share:.1%} of them are right. "
            f"{len(voted) - len(certain):,} are uncertain"
            + (f"; of the {len(certain):,} others, {np.mean(certain):.1%} are right." if certain else ".")
        )
    return "\n".join(lines)
