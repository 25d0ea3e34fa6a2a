"""From what size, turn, sharpness and brightness on faces can be judged.

    python benchmarks/fitness.py FOLDER... [--models FOLDER]

Each FOLDER holds pictures in one folder for each expression. Each face is judged as it is and spoilt in three ways: cut
out smaller, blurred, and as a camera takes it in the dark (less light, with the noise of electrons and of reading). The
tables tell how many votes are right for each value, then the curve: what share of the faces is left out, and how many
of the rest are right, the stricter one is.
"""

import argparse
import itertools
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emotion import config, load_models
from emotion.data.folders.listing import picture_files
from emotion.faces.crop import FaceVector, cut_out, face_vector
from emotion.faces.decode import decode_image
from emotion.faces.detect import Detection
from emotion.faces.fitness import Fitness, fitness
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import YuNetDetector
from emotion.runtime.storage import Folder

SIDES = (8, 12, 16, 20, 24, 28, 32, 40)
BLURS = (0.02, 0.03, 0.045, 0.06, 0.08, 0.11)
"""The standard deviation of a Gaussian, of the face's side."""
LIGHTS = (0.5, 0.25, 0.12, 0.06, 0.03)
READING_VARIANCE, ELECTRON_VARIANCE = 4.0, 0.1
"""Of the noise of a pixel: fixed, and for each step of its brightness."""

BANDS: dict[str, tuple[Callable[[Fitness], float], Sequence[float]]] = {
    "side, pixels": (lambda fit: fit.side, (0, 10, 14, 18, 22, 26, 30, 36, 48, 70, 1000)),
    "turn, degrees": (lambda fit: abs(fit.turn), (0, 5, 10, 15, 20, 25, 30, 35, 45, 90)),
    "sharpness": (lambda fit: fit.sharpness, (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 9)),
    "brightness": (lambda fit: fit.brightness, (0, 5, 10, 15, 20, 30, 50, 80, 120, 160, 256)),
}
MARGINS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)


@dataclass(frozen=True)
class Judged:
    """A face as it is or spoilt, before it is voted on."""

    label: str
    spoilt: str
    fit: Fitness
    vector: FaceVector


def variants(face: Detection, crop_bgr: BGRImage, seed: int) -> Iterator[tuple[str, Detection, BGRImage]]:
    """Give a face as it is, then in all the ways in which it is spoilt."""
    noise = np.random.default_rng(seed)
    yield "as it is", face, crop_bgr
    for side in SIDES:
        if side < len(crop_bgr):
            small = cv2.resize(crop_bgr, (side, side), interpolation=cv2.INTER_AREA)
            yield "smaller", replace(face, cut=face.cut._replace(side=side)), np.asarray(small, dtype=np.uint8)
    for blur in BLURS:
        yield "blurred", face, np.asarray(cv2.GaussianBlur(crop_bgr, (0, 0), blur * len(crop_bgr)), dtype=np.uint8)
    for light in LIGHTS:
        dark = crop_bgr * light
        dark += noise.normal(size=dark.shape) * np.sqrt(READING_VARIANCE + ELECTRON_VARIANCE * dark)
        yield "in the dark", face, np.clip(np.round(dark), 0, 255).astype(np.uint8)


def read(folder: Path) -> list[Judged]:
    """Find the largest face of each picture, and spoil it."""
    source, detector, judged = Folder(folder), YuNetDetector(), []
    for picture in tqdm(picture_files(source), unit="picture"):
        image_bgr = decode_image(source.read(picture.name))
        for face in detector.detect(image_bgr)[:1]:
            crop = cut_out(image_bgr, face.cut)
            for spoilt, seen, picture_bgr in variants(face, crop, zlib.crc32(picture.name.encode())):
                vector = face_vector(picture_bgr)
                judged.append(Judged(picture.label, spoilt, fitness(seen, vector), vector))
    return judged


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--models", type=Path, default=config.MODELS)
    options = parser.parse_args()
    models = load_models(options.models)
    judged = [face for folder in options.folders for face in read(folder)]
    X = np.stack([face.vector for face in judged])
    votes = [vote for start in range(0, len(X), 1024) for vote in models.vote(X[start : start + 1024])]
    right = np.array([vote.label == face.label for vote, face in zip(votes, judged, strict=True)])
    spoilt = np.array([face.spoilt for face in judged])
    touches = {"side, pixels": "smaller", "sharpness": "blurred", "brightness": "in the dark"}
    for name, (value, edges) in BANDS.items():
        values = np.array([value(face.fit) for face in judged])
        own = (spoilt == "as it is") | (spoilt == touches.get(name, ""))
        print(f"\n{name}: faces, right")
        for low, high in itertools.pairwise(edges):
            here = own & (values >= low) & (values < high)
            if here.any():
                print(f"{low:>6g} to {high:<6g} {here.sum():>7,} {right[here].mean():>7.1%}")
    margins = np.array([face.fit.margin for face in judged])
    print(
        "\nleft out below a margin: of faces as they are, right of the rest; of all that are spoilt, right of the rest"
    )
    for margin in MARGINS:
        line = []
        for some in (spoilt == "as it is", spoilt != "as it is"):
            kept = some & (margins >= margin)
            line.append(f"{1 - kept.sum() / some.sum():>7.1%} {right[kept].mean():>7.1%}")
        print(f"{margin:>5g} {'   '.join(line)}")


if __name__ == "__main__":
    main()
