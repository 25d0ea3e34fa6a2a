"""What choices do, tried on validation faces: features, known faces, resampling and weights."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.class_weight import compute_sample_weight
from xgboost import XGBClassifier

from emotion.data.annotators import Votes, drawn_codes
from emotion.data.embedding import OnnxEmbedding, embeddings, network_file
from emotion.data.splitting import Split
from emotion.faces.crop import FaceVectors
from emotion.lessons.places import Places
from emotion.training.evaluation import score
from emotion.training.recipes import EXPERIMENTS, SMOTE_SHARE, build_projection, build_sampler

SAMPLE: Final = 10_000
"""Training faces that choices are looked at with; the models learn from all."""
_LEAST_SAMPLED: Final = 20
"""Of a class: resampling needs neighbours."""


def sampled(split: Split, size: int = SAMPLE, seed: int = 0) -> NDArray[np.intp]:
    """Choose training rows to look at.

    Parameters
    ----------
    split : Split
    size : int, at most
    seed : int

    Returns
    -------
    ndarray of shape (n,), int, sorted; of each class twenty at least, or all that there are
    """
    order = np.random.default_rng(seed).permutation(len(split.train))
    of_each = [order[split.train.y[order] == label][:_LEAST_SAMPLED] for label in split.train.classes]
    return np.unique(np.concatenate([order[:size], *of_each]))


def features(networks: Path | str, X: FaceVectors) -> dict[str, NDArray[np.float32]]:
    """Compute what each network makes of faces, and, to compare, their pixels.

    Parameters
    ----------
    networks : path of a folder as `emotion.data.embedding.network_file` takes it
    X : ndarray of shape (n, 2304), uint8

    Returns
    -------
    dict of name to ndarray of shape (n, d), float32
    """
    made = {f"network {number}": rows for number, rows in embeddings(networks, X).items()}
    return made | {"pixels": X.astype(np.float32)}


def variance_figure(of_faces: Mapping[str, NDArray[np.float32]]) -> Figure:
    """Draw how much of their variance the first principal components hold.

    Parameters
    ----------
    of_faces : mapping of name to ndarray of shape (n, d), float32

    Returns
    -------
    matplotlib Figure
    """
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, rows in of_faces.items():
        scaled = MinMaxScaler().fit_transform(rows)
        solver = "full" if len(scaled) <= scaled.shape[1] else "covariance_eigh"
        cumulative = np.cumsum(PCA(svd_solver=solver).fit(scaled).explained_variance_ratio_)
        needed = int((cumulative < 0.95).sum()) + 1
        axes.plot(np.arange(1, len(cumulative) + 1), cumulative, label=f"{name}: {needed} components hold 95 %")
    axes.axhline(0.95, color="grey", linewidth=0.6)
    axes.set(xlabel="principal components", ylabel="share of the variance", xscale="log", ylim=(0, 1.02))
    axes.legend(loc="lower right")
    return figure


def by_heart_frame(split: Split, places: Places) -> pd.DataFrame:
    """Show how much better faces are told apart that the networks know.

    Parameters
    ----------
    split : Split, with validation faces
    places : Places

    Returns
    -------
    DataFrame of float, 0-1: a row a network; a logistic regression on its components, right on the faces that it was
    fitted to, on validation faces, and, fitted to four fifths of these, on the fifth
    """
    y, y_validation = (np.searchsorted(split.train.classes, part.y) for part in (split.train, split.validation))
    rows = sampled(split)
    right = {}
    for experiment in EXPERIMENTS:
        X, X_validation = _components(split, rows, experiment.number, places.networks)
        model = LogisticRegression(max_iter=300).fit(X, y[rows])
        folds = min(5, min(split.validation.counts().values()))
        unseen = cross_val_score(LogisticRegression(max_iter=300), X_validation, y_validation, cv=max(folds, 2))
        right[f"network {experiment.number}"] = {
            "right on training faces": model.score(X, y[rows]),
            "on validation faces": model.score(X_validation, y_validation),
            "fitted to validation faces, on the others of them": unseen.mean(),
        }
    return pd.DataFrame(right).T


def _components(
    split: Split, rows: NDArray[np.intp], number: int, networks: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    embedding = OnnxEmbedding(network_file(networks, number)).fit(split.train.X[rows])
    learnt = embedding.transform(split.train.X[rows])
    projection = build_projection(*learnt.shape).fit(learnt)
    return projection.transform(learnt), projection.transform(embedding.transform(split.validation.X))


def resampling_frame(split: Split, places: Places, votes: Votes | None) -> pd.DataFrame:
    """Try ways to resample and to weigh, with XGBoost on the first network's components.

    Parameters
    ----------
    split : Split, with validation faces
    places : Places
    votes : Votes, optional: what is learnt, and asked, in place of the labels

    Returns
    -------
    DataFrame: a row a way; rows before and after, and shares (0-1) of the validation faces
    """
    rows, classes = sampled(split), np.array(split.train.classes)
    X, X_validation = _components(split, rows, 1, places.networks)
    y, truth = np.searchsorted(classes, split.train.y[rows]), split.validation.y
    if votes is not None and votes.train is not None and votes.validation is not None:
        y = drawn_codes(votes.train[rows], seed=0)
        most = votes.validation.max(axis=1) >= 0.5
        truth = np.where(most, classes[votes.validation.argmax(axis=1)], "")
    asked = truth != ""
    before = Counter(y.tolist())
    largest = max(before, key=lambda code: before[code])
    smote = SMOTE(k_neighbors=min(5, min(before.values()) - 1), random_state=0)
    ways = {
        "none": None,
        f"SMOTE to {SMOTE_SHARE:.0%} of the largest (experiment 1)": build_sampler(EXPERIMENTS[0], before, 0),
        "SMOTE to equal classes": smote,
        f"SMOTE to {SMOTE_SHARE:.0%}, then ENN on classes more than doubled (2, 3)": build_sampler(
            EXPERIMENTS[1], before, 0
        ),
        "SMOTEENN as it comes": SMOTEENN(smote=smote, random_state=0),
    }
    tried: list[dict[str, Any]] = []
    for way, sampler in ways.items():
        X_way, y_way = (X, y) if sampler is None else sampler.fit_resample(X, y)
        kept = Counter(y_way.tolist())
        for weights in (None, "balanced"):
            told = {"resampling": way, "rows": len(y_way), f"of {classes[largest]}": kept[largest]}
            if len(kept) < len(classes):
                tried.append({**told, "weights": "a class is gone"})
                break
            model = XGBClassifier(
                n_estimators=10 if places.is_fast else 100,
                max_depth=4,
                learning_rate=0.1,
                subsample=0.8,
                colsample_bytree=0.5,
                n_jobs=os.cpu_count(),
                random_state=0,
            ).fit(X_way, y_way, sample_weight=compute_sample_weight(weights, y_way))
            of = score(truth[asked], classes[model.predict(X_validation[asked])], split.train.classes)
            least = int(np.argmin(np.where(np.array(of.support) > 0, of.recall, 1)))
            tried.append(
                {
                    **told,
                    "weights": weights or "none",
                    "accuracy": of.accuracy,
                    "macro-F1": of.macro_f1,
                    "mean recall": float(np.mean(np.array(of.recall)[np.array(of.support) > 0])),
                    "lowest recall": of.recall[least],
                    "that of": classes[least],
                }
            )
    return pd.DataFrame(tried).set_index(["resampling", "weights"])
