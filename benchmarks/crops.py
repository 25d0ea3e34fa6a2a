"""How the vote changes with how a face is cut out of a picture: python benchmarks/crops.py --data data.csv

Faces of the validation part are enlarged, put into a wider picture, and sought and cut out as from a webcam; the
side and the place of the cut vary. What the picture shows beyond the face is its edge, drawn out.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import emotion
from emotion import config
from emotion.data.dataset import read_faces
from emotion.data.seen import read_seen
from emotion.data.splitting import split_faces
from emotion.faces.crop import cut_out, face_vector
from emotion.faces.detect import Cut
from emotion.faces.yunet import YuNetDetector

ENLARGED = 4
SIDES = (0.9, 0.95, 1.0, 1.05, 1.1)
SHIFTS = (0.05, 0.1)
"""Shares of the cut's side."""


def scene_of(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge a face and draw its edge out to a picture of twice the side."""
    side = config.FACE_SIDE * ENLARGED
    large = cv2.resize(face.reshape(config.FACE_SIDE, -1), (side, side), interpolation=cv2.INTER_CUBIC)
    wide = cv2.copyMakeBorder(large, *(side // 2,) * 4, cv2.BORDER_REPLICATE)
    return cv2.cvtColor(wide, cv2.COLOR_GRAY2BGR)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the table that the models were trained from")
    parser.add_argument("--test", type=Path, help="the table that they were tested on")
    parser.add_argument("--models", type=Path, default=config.MODELS)
    parser.add_argument("--faces", type=int, default=1000, help="how many to put into pictures (default: 1000)")
    options = parser.parse_args()
    models = emotion.load_models(options.models)
    test = read_faces(options.test) if options.test else None
    split = split_faces(read_faces(options.data), test, seen=read_seen(options.models).networks, progress=True)
    random = np.random.default_rng(0)
    faces = split.validation[random.permutation(len(split.validation))[: options.faces]]

    detector = YuNetDetector()
    scenes, cuts, found = [], [], []
    for row, face in enumerate(tqdm(faces.X, desc="seeking faces", leave=False)):
        scene = scene_of(face)
        detected = detector.detect(scene)
        if detected:
            scenes.append(scene)
            cuts.append(detected[0].cut)
            found.append(row)
    if not found:
        print(f"the detector finds none of {len(faces):,} faces")
        return
    known = faces[np.array(found)]
    side = config.FACE_SIDE * ENLARGED
    sides = np.array([cut.side for cut in cuts]) / side
    across = np.array([cut.x + cut.side / 2 for cut in cuts]) / side - 1
    down = np.array([cut.y + cut.side / 2 for cut in cuts]) / side - 1
    print(f"{len(found):,} of {len(faces):,} faces found; cuts of {np.median(sides):.2f} of the face's side (median),")
    print(f"their middles {np.median(across):+.2f} across and {np.median(down):+.2f} down from the face's")

    def accuracy(scale: float, across: float = 0.0, down: float = 0.0) -> float:
        vectors = [
            face_vector(cut_out(scene, changed(cut, scale, across, down)))
            for scene, cut in zip(scenes, cuts, strict=True)
        ]
        return float((models.predict(np.stack(vectors)) == known.y).mean())

    print(f"\ncut as in the data set: {(models.predict(known.X) == known.y).mean():.1%} of these are right\n")
    print("side  right   (the side is what the detector gives, times this)")
    for scale in SIDES:
        print(f"{scale:4.2f}  {accuracy(scale):.1%}")
    print("\nshift   across   down   up   (of the cut's side)")
    for shift in SHIFTS:
        places = ((shift, 0.0), (0.0, shift), (0.0, -shift))
        print(f"{shift:5.2f}   " + "  ".join(f"{accuracy(1.0, *place):.1%}" for place in places))


def changed(cut: Cut, scale: float, across: float, down: float) -> Cut:
    """Scale a cut, and shift it by shares of its side."""
    side = max(1, round(cut.side * scale))
    left = cut.x + (cut.side - side) / 2 + across * cut.side
    top = cut.y + (cut.side - side) / 2 + down * cut.side
    return Cut(round(left), round(top), side, cut.degrees)


if __name__ == "__main__":
    main()
