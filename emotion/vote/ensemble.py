"""The trained models of a folder: checked, loaded, and asked together.

Nothing is unpickled: pipelines and models are ONNX graphs, each compared with its checksum in the manifest before
onnxruntime sees it, and read for parts that it must not have. Of training's libraries none is needed here.
"""

import functools
import hashlib
import json
import os
import platform
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from emotion import config
from emotion.errors import ModelsError
from emotion.faces.crop import FaceVectors
from emotion.vote.graphs import objection_to
from emotion.vote.voting import Calibration, Vote, count_votes, winners

_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_REMEDY = "restore the folder from the repository, or train anew with: python -m emotion train --data data.csv"
_PART_ROWS: Final = 16
"""Faces that one processor takes at a time: few enough to keep its caches warm, and to share out a hundred."""


class Ensemble:
    """Five models behind three pipelines; made by `load_models`. May be shared between threads.

    Attributes
    ----------
    classes : tuple of str
        What the class codes stand for; the order of all probabilities.
    model_names : tuple of str
        The order of all ballots.
    calibration : Calibration
        Turns the mean of the models' probabilities into one that can be believed.
    origin : (str, str)
        The folder they are from, and the checksum of its manifest, for `same_models`.
    """

    def __init__(
        self,
        classes: Sequence[str],
        pipelines: dict[int, onnxruntime.InferenceSession],
        models: dict[str, onnxruntime.InferenceSession],
        calibration: Calibration,
        origin: tuple[str, str],
    ) -> None:
        self.classes = tuple(classes)
        self.model_names = config.MODEL_NAMES
        self.calibration = calibration
        self._pipelines = pipelines
        self._models = models
        self.origin = origin

    def predict(self, X: FaceVectors) -> NDArray[np.str_]:
        """Elect a label for each face by majority.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        ndarray of shape (n,), str; see `emotion.vote.voting.winners` for ties

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        ballots, calibrated = self._counted(X)
        return np.array(self.classes)[winners(ballots, calibrated)]

    def predict_proba(self, X: FaceVectors) -> NDArray[np.float32]:
        """Give the calibrated mean of the five models' probabilities.

        Where the ballots are close, the class with the highest mean need not be the one that the majority elects.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        ndarray of shape (n, n_classes), float32, 0-1, rows sum to 1, columns as in `classes`

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        return self.calibration.apply(self.model_probabilities(X).mean(axis=1))

    def vote(self, X: FaceVectors) -> list[Vote]:
        """Give ballots, probabilities and the elected label of each face.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        list of n Vote

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        return count_votes(*self._counted(X), self.classes, self.calibration.uncertain_below)

    def _counted(self, X: FaceVectors) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        probabilities = self.model_probabilities(X)
        return probabilities.argmax(axis=2), self.calibration.apply(probabilities.mean(axis=1))

    def model_probabilities(self, X: FaceVectors) -> NDArray[np.float32]:
        """Give what each model says; its ballot is the class it finds most probable.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        ndarray of shape (n, n_models, n_classes), float32, 0-1, models in the order of `model_names`

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != config.N_PIXELS or X.dtype != np.uint8:
            raise ValueError(
                f"X must be uint8 face vectors of shape (n, {config.N_PIXELS}), got {X.dtype} of shape {X.shape}"
            )
        probabilities = np.empty((len(X), len(self.model_names), len(self.classes)), dtype=np.float32)
        starts = range(0, len(X), _PART_ROWS)
        if len(starts) == 1:
            self._fill(X, probabilities)
        elif starts:
            with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
                parts = [slice(start, start + _PART_ROWS) for start in starts]
                list(pool.map(lambda part: self._fill(X[part], probabilities[part]), parts))
        return probabilities

    def _fill(self, X: FaceVectors, probabilities: NDArray[np.float32]) -> None:
        pixels = {"X": X.astype(np.float32)}
        # Experiments that share a pipeline share its session too: it runs once.
        features = {session: session.run(None, pixels)[0] for session in self._pipelines.values()}
        for number, names in config.MODELS_OF_PIPELINE.items():
            for name in names:
                inputs = {"X": features[self._pipelines[number]]}
                output = self._models[name].run(["probabilities"], inputs)[0]
                probabilities[:, self.model_names.index(name)] = output


def load_models(path: Path | str = config.MODELS) -> Ensemble:
    """Load the five models of a folder after checking them.

    Parameters
    ----------
    path : path of a folder that training wrote; by default the project's own ``models``

    Returns
    -------
    Ensemble

    Raises
    ------
    ModelsError
        If the folder or a file of it is missing, differs from its checksum in the manifest, has another format
        version, is no ONNX graph of standard operators with weights of its own, or does not fit to the other files.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    classes = _read_classes(folder, manifest)
    sessions: dict[str, onnxruntime.InferenceSession] = {}
    pipelines = {n: _open_session(folder, f"pipeline_{n}.onnx", manifest, sessions) for n in config.MODELS_OF_PIPELINE}
    models = {name: _open_session(folder, f"{name}.onnx", manifest, sessions) for name in config.MODEL_NAMES}
    for number, names in config.MODELS_OF_PIPELINE.items():
        # Also with a single face: what takes one number of faces only is found before it is needed.
        for n_faces in (1, 3):
            X = np.linspace(0, 255, n_faces * config.N_PIXELS, dtype=np.float32).reshape(n_faces, config.N_PIXELS)
            features = _tried(pipelines[number], None, X, folder / f"pipeline_{number}.onnx")
            for name in names:
                result = _tried(models[name], ["probabilities"], features, folder / f"{name}.onnx")
                fits = result.shape == (n_faces, len(classes)) and np.allclose(result.sum(axis=1), 1, atol=0.01)
                _check(fits and result.min() >= 0, folder, f"{name}.onnx")
    origin = (str(folder.absolute()), manifest_checksum(folder))
    return Ensemble(classes, pipelines, models, _read_calibration(folder, manifest), origin)


@functools.cache
def same_models(folder: str, checksum: str) -> Ensemble:
    """Load the models of a folder, once for a process, where they are those that another process means.

    Parameters
    ----------
    folder, checksum : str, an `Ensemble.origin`

    Returns
    -------
    Ensemble

    Raises
    ------
    ModelsError
        As `load_models`, or if the folder holds others.
    """
    if manifest_checksum(folder) not in ("", checksum):
        raise ModelsError(f"{folder} on {platform.node()} holds other models than here; copy these there.")
    return load_models(folder)


def manifest_checksum(path: Path | str) -> str:
    """Tell the models of a folder from those that training may put there in their place.

    Parameters
    ----------
    path : path of a folder of models

    Returns
    -------
    str, the SHA-256 of its manifest, hexadecimal; empty where there is none that can be read
    """
    try:
        return hashlib.sha256((Path(path) / config.MANIFEST_FILE).read_bytes()).hexdigest()
    except OSError:
        return ""


def read_manifest(path: Path | str = config.MODELS) -> dict[str, Any]:
    """Read what training wrote about the models of a folder: data, versions, checksums, scores.

    Parameters
    ----------
    path : path of a folder of models

    Returns
    -------
    dict

    Raises
    ------
    ModelsError
        If there is no manifest, it cannot be read, or it is of another format version.
    """
    file = Path(path) / config.MANIFEST_FILE
    if not file.is_file():
        raise ModelsError(f"There are no trained models in {path}: {_REMEDY}.")
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        version = manifest["format_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelsError(f"{file} is damaged or cannot be read: {_REMEDY}.") from error
    if version != config.MANIFEST_FORMAT:
        raise ModelsError(f"{file} has format {version}, this program reads {config.MANIFEST_FORMAT}: {_REMEDY}.")
    if not isinstance(manifest.get("files"), dict) or not _are_classes(manifest.get("classes")):
        raise ModelsError(f"{file} lacks checksums or classes: {_REMEDY}.")
    return dict(manifest)


def _are_classes(given: Any) -> bool:
    names = isinstance(given, list) and all(isinstance(name, str) and name.strip() for name in given)
    return names and len(set(given)) == len(given) > 1


def _read_classes(folder: Path, manifest: dict[str, Any]) -> list[str]:
    for number in config.MODELS_OF_PIPELINE:
        name = f"labels_{number}.json"
        try:
            labels = json.loads(_read_checked(folder, name, manifest))
        except (ValueError, RecursionError) as error:
            raise ModelsError(f"{folder / name} is damaged: {_REMEDY}.") from error
        _check(labels == manifest["classes"], folder, name)
    return list(manifest["classes"])


def _read_calibration(folder: Path, manifest: dict[str, Any]) -> Calibration:
    try:
        measured = manifest["calibration"]
        return Calibration(float(measured["temperature"]), float(measured["uncertain_below"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelsError(f"{folder / config.MANIFEST_FILE} lacks the calibration of the vote: {_REMEDY}.") from error


def _read_checked(folder: Path, name: str, manifest: dict[str, Any]) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise ModelsError(f"{folder / name} is missing or cannot be read: {_REMEDY}.") from error
    if data.startswith(_LFS_POINTER):
        raise ModelsError(f"{folder / name} is a Git LFS pointer in place of the file: run git lfs pull, or {_REMEDY}.")
    if hashlib.sha256(data).hexdigest() != manifest["files"].get(name):
        raise ModelsError(f"{folder / name} is not the file that was trained, its checksum differs: {_REMEDY}.")
    return data


def _open_session(
    folder: Path, name: str, manifest: dict[str, Any], sessions: dict[str, onnxruntime.InferenceSession]
) -> onnxruntime.InferenceSession:
    data = _read_checked(folder, name, manifest)
    checksum = manifest["files"][name]
    if checksum not in sessions:
        if objection := objection_to(data):
            raise ModelsError(f"{folder / name} {objection}: {_REMEDY}.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a face is too little work to share; many faces are shared out in parts
        options.log_severity_level = 3
        try:
            # From the bytes that were checked, not from the path: the file may change, and cannot draw in others.
            sessions[checksum] = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no other base
            raise ModelsError(f"{folder / name} cannot be loaded by onnxruntime: {_REMEDY}.") from error
    return sessions[checksum]


def _tried(
    session: onnxruntime.InferenceSession, outputs: list[str] | None, X: NDArray[np.float32], path: Path
) -> NDArray[np.float32]:
    try:
        result = session.run(outputs, {"X": X})[0]
        fits = result.dtype == np.float32 and result.ndim == 2 and len(result) == len(X) and np.isfinite(result).all()
    except Exception as error:  # onnxruntime's errors share no other base
        raise _misfit(path) from error
    if not fits:
        raise _misfit(path)
    return np.asarray(result)


def _check(fits: bool, folder: Path, name: str) -> None:
    if not fits:
        raise _misfit(folder / name)


def _misfit(path: Path) -> ModelsError:
    return ModelsError(f"{path} does not fit to the other files of the folder: {_REMEDY}.")
