"""Faces that can be told apart, made up: no data set is needed to try the whole way."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from emotion.data.annotators import VOTED_LABELS
from emotion.data.dataset import Faces
from emotion.data.tables.writing import face_writer

CLASSES = ("Angry", "Happy", "Sad")
VOTES_COLUMNS = tuple(VOTED_LABELS)


def synthetic_faces(per_class: tuple[int, ...] = (40, 40, 40), seed: int = 0) -> Faces:
    """Draw soft random shapes, no two alike, and over them a bright bar whose height tells the class."""
    random = np.random.default_rng(seed)
    labels = [label for label, count in zip(CLASSES, per_class, strict=True) for _ in range(count)]
    return Faces(np.stack([_face(CLASSES.index(label), random) for label in labels]), np.array(labels))


def _face(place: int, random: np.random.Generator) -> np.ndarray:
    coarse = random.integers(0, 180, (6, 6)).astype(np.uint8)
    picture = cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_LINEAR)
    top = 4 + 15 * place + int(random.integers(-2, 3))
    picture[top : top + 10, 8:40] = random.integers(215, 256)
    return picture.ravel()


def write_table(path: Path, faces: Faces, files: Sequence[str] | None = None) -> Path:
    """Write faces as image_to_vector.py does, with --keep-names where files are given."""
    with face_writer(path, keep_names=files is not None) as writer:
        writer.write(faces.X, faces.y.tolist(), files or [""] * len(faces))
    return path


def write_votes(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write a table as FER+ has it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["file", *VOTES_COLUMNS])
        table.writeheader()
        table.writerows(rows)
    return path
