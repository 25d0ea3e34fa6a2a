"""The trained models of a folder: found, checked and loaded.

Nothing is unpickled: networks, projections and models are ONNX graphs, each compared with its checksum in the manifest
before onnxruntime sees it, and read for parts that it must not have. Of training's libraries none is needed here.
"""

import functools
import hashlib
import json
import platform
import threading
import weakref
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from emotion import config
from emotion.errors import ModelsError
from emotion.vote.ensemble import PIXELS, Combiner, Embedder, Ensemble, Heads
from emotion.vote.graphs import objection_to
from emotion.vote.voting import Calibration

NEW_FOLDER: Final = ".new"
"""Within a folder of models: what a training has written whole and is just putting into its places, file by file."""

_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_REMEDY = "restore the folder from the repository, or train anew with: python -m emotion train --data data.csv"

_networks: "weakref.WeakValueDictionary[str, onnxruntime.InferenceSession]" = weakref.WeakValueDictionary()
"""By their digests, those that are loaded: whatever stands on one shares it."""
_networks_lock = threading.Lock()


def settled(folder: Path | str, name: str) -> Path:
    """Find a file of a folder of models, also while a training is putting new ones there, or was killed at that.

    Parameters
    ----------
    folder : path
    name : str

    Returns
    -------
    Path: of the new one, which may still lie in `NEW_FOLDER`, where there is one
    """
    new = Path(folder) / NEW_FOLDER / name
    return new if new.is_file() else Path(folder) / name


def read_settled(folder: Path | str, name: str) -> bytes:
    """Read a file as `settled` finds it, also one that is moved into its place at this moment.

    Parameters
    ----------
    folder : path
    name : str

    Returns
    -------
    bytes

    Raises
    ------
    OSError
        If it is missing or cannot be read.
    """
    try:
        return settled(folder, name).read_bytes()
    except FileNotFoundError:
        return (Path(folder) / name).read_bytes()


def network_place(folder: Path | str, number: int, digest: str) -> Path | None:
    """Find the network of an experiment by its content.

    Parameters
    ----------
    folder : path of a folder of models
    number : int, of the experiment
    digest : str, the SHA-256 of the network's file, hexadecimal

    Returns
    -------
    Path of a folder that has it: that folder, or the one around it, whose networks the sets of models in it share; None
    where neither has
    """
    for place in (Path(folder), Path(folder).resolve().parent):
        try:
            if hashlib.sha256(read_settled(place, f"network_{number}.onnx")).hexdigest() == digest:
                return place
        except OSError:
            continue
    return None


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
    if not isinstance(path, (str, PathLike)) or not str(path):
        raise ModelsError(f"A folder of models is asked for, as {config.MODELS.name}, and not {path!r:.60}.")
    folder = Path(path)
    while True:
        manifest, checksum = _read_manifest(folder)
        try:
            return _loaded(folder, manifest, checksum)
        except ModelsError:
            if manifest_checksum(folder) in ("", checksum):
                raise
            # A training has put others there meanwhile: these are whole by themselves.


def _loaded(folder: Path, manifest: dict[str, Any], checksum: str) -> Ensemble:
    classes = _read_classes(folder, manifest)
    calibration = _read_calibration(folder, manifest)
    digests = {number: _digest_of(folder, number, manifest) for number in config.MODELS_OF_PIPELINE}
    networks = {digest: _open_network(folder, number, digest) for number, digest in digests.items() if digest != PIXELS}
    embedder = Embedder(digests, networks)
    sessions: dict[str, onnxruntime.InferenceSession] = {}
    projections = {n: _open_file(folder, f"pipeline_{n}.onnx", manifest, sessions) for n in config.MODELS_OF_PIPELINE}
    models = {name: _open_file(folder, f"{name}.onnx", manifest, sessions) for name in config.MODEL_NAMES}
    for number, names in config.MODELS_OF_PIPELINE.items():
        # Also with a single face: what takes one number of faces only is found before it is needed.
        for n_faces in (1, 3):
            X = np.linspace(0, 255, n_faces * config.N_PIXELS, dtype=np.float32).reshape(n_faces, config.N_PIXELS)
            if digests[number] != PIXELS:
                X = _tried(networks[digests[number]], None, X, folder / f"network_{number}.onnx")
            components = _tried(projections[number], None, X, folder / f"pipeline_{number}.onnx")
            for name in names:
                result = _tried(models[name], ["probabilities"], components, folder / f"{name}.onnx")
                fits = result.shape == (n_faces, len(classes)) and np.allclose(result.sum(axis=1), 1, atol=0.01)
                _check(fits and result.min() >= 0, folder, f"{name}.onnx")
    heads = Heads(projections, models, len(classes))
    origin = (str(folder.absolute()), checksum)
    return Ensemble(embedder, heads, Combiner(tuple(classes), calibration), origin, day_of(manifest))


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
        return hashlib.sha256(read_settled(path, config.MANIFEST_FILE)).hexdigest()
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
    return _read_manifest(Path(path))[0]


def _read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    """Give the manifest, and the checksum of what was read of it."""
    file = folder / config.MANIFEST_FILE
    if folder.is_file():
        raise ModelsError(f"{folder} is a file, and not a folder of models: name the folder that holds it.")
    if not settled(folder, config.MANIFEST_FILE).is_file():
        raise ModelsError(f"There are no trained models in {folder}: {_REMEDY}.")
    try:
        data = read_settled(folder, config.MANIFEST_FILE)
        manifest = json.loads(data.decode("utf-8"))
        version = manifest["format_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelsError(f"{file} is damaged or cannot be read: {_REMEDY}.") from error
    if version != config.MANIFEST_FORMAT:
        raise ModelsError(f"{file} has format {version}, this program reads {config.MANIFEST_FORMAT}: {_REMEDY}.")
    if not isinstance(manifest.get("files"), dict) or not _are_classes(manifest.get("classes")):
        raise ModelsError(f"{file} lacks checksums or classes: {_REMEDY}.")
    return dict(manifest), hashlib.sha256(data).hexdigest()


def day_of(manifest: dict[str, Any]) -> str:
    """Read from a manifest when its models were trained.

    Parameters
    ----------
    manifest : dict

    Returns
    -------
    str, the day, as in ``2026-11-29``; empty where it is not known
    """
    trained = manifest.get("trained")
    return trained if isinstance(trained, str) else ""


def _are_classes(given: Any) -> bool:
    names = isinstance(given, list) and all(isinstance(name, str) and name.strip() for name in given)
    return names and len(set(given)) == len(given) > 1


def _read_classes(folder: Path, manifest: dict[str, Any]) -> list[str]:
    for number in config.MODELS_OF_PIPELINE:
        name = f"labels_{number}.json"
        try:
            labels = json.loads(_read_checked(folder, name, manifest["files"].get(name)))
        except (ValueError, RecursionError) as error:
            raise ModelsError(f"{folder / name} is damaged: {_REMEDY}.") from error
        _check(labels == manifest["classes"], folder, name)
    return list(manifest["classes"])


def _read_calibration(folder: Path, manifest: dict[str, Any]) -> Calibration:
    try:
        calibration = Calibration.read(manifest["calibration"])
        if len(calibration.exponents) != len(manifest["classes"]):
            raise ValueError("a calibration of other classes")
        return calibration
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelsError(f"{folder / config.MANIFEST_FILE} lacks the calibration of the vote: {_REMEDY}.") from error


def _digest_of(folder: Path, number: int, manifest: dict[str, Any]) -> str:
    networks = manifest.get("networks")
    digest = networks.get(str(number), PIXELS) if isinstance(networks, dict) else None
    if not isinstance(digest, str):
        raise ModelsError(f"{folder / config.MANIFEST_FILE} lacks the networks of the models: {_REMEDY}.")
    return digest


def _read_checked(folder: Path, name: str, checksum: Any) -> bytes:
    try:
        data = read_settled(folder, name)
    except OSError as error:
        raise ModelsError(f"{folder / name} is missing or cannot be read: {_REMEDY}.") from error
    if data.startswith(_LFS_POINTER):
        raise ModelsError(f"{folder / name} is a Git LFS pointer in place of the file: run git lfs pull, or {_REMEDY}.")
    if hashlib.sha256(data).hexdigest() != checksum:
        raise ModelsError(f"{folder / name} is not the file that was trained, its checksum differs: {_REMEDY}.")
    return data


def _open_file(
    folder: Path, name: str, manifest: dict[str, Any], sessions: dict[str, onnxruntime.InferenceSession]
) -> onnxruntime.InferenceSession:
    checksum = manifest["files"].get(name)
    data = _read_checked(folder, name, checksum)
    if checksum not in sessions:
        sessions[checksum] = _open_session(data, folder / name)
    return sessions[checksum]


def _open_network(folder: Path, number: int, digest: str) -> onnxruntime.InferenceSession:
    name = f"network_{number}.onnx"
    place = network_place(folder, number, digest) or folder
    data = _read_checked(place, name, digest)
    with _networks_lock:
        session = _networks.get(digest)
        if session is None:
            session = _networks[digest] = _open_session(data, place / name)
        return session


def _open_session(data: bytes, file: Path) -> onnxruntime.InferenceSession:
    if objection := objection_to(data):
        raise ModelsError(f"{file} {objection}: {_REMEDY}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a face is too little work to share; many faces are shared out in parts
    options.log_severity_level = 3
    try:
        # From the bytes that were checked, not from the path: the file may change, and cannot draw in others.
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no other base
        raise ModelsError(f"{file} cannot be loaded by onnxruntime: {_REMEDY}.") from error


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
