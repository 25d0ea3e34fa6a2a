"""The five models and the terms of their card, each in one plain sentence."""

from typing import Final

from emotion import config
from emotion.vote.measured.reading import Measured, Recipe
from emotion.vote.measured.shares import FEW

_STACK: Final = "A stack"
_BOOST: Final = "Small decision trees (XGBoost)"


def models_told(measured: Measured) -> dict[str, str]:
    """Say what each of the five models is.

    Parameters
    ----------
    measured : Measured

    Returns
    -------
    dict of a model's name to a sentence, in the order of the networks
    """
    recipes = {name: recipe for recipe in measured.recipes for name in recipe.models}
    told = {}
    for number, names in config.MODELS_OF_PIPELINE.items():
        behind = f"behind network {number}" if measured.has_networks else "on the pixels"
        for name in names:
            kind = _BOOST if "boost" in name else _STACK
            told[name] = f"{kind} {behind}{_learnt(recipes.get(name))}."
    return told


def _learnt(recipe: Recipe | None) -> str:
    if recipe is None:
        return ""
    weights = " and class weights" if recipe.is_weighted else ""
    return f", which learnt from {recipe.components} numbers of each face, with {recipe.resampling}{weights}"


def terms_told(measured: Measured) -> dict[str, str]:
    """Explain the terms.

    Parameters
    ----------
    measured : Measured

    Returns
    -------
    dict of a term to a sentence
    """
    tried = measured.tried
    share = f"; here it is {tried.macro_f1:.0%}" if tried and tried.macro_f1 is not None and tried.faces >= FEW else ""
    uncalibrated = "" if measured.uncertain_below is not None else "; here there were too few such faces for it"
    return {
        "Ballot": "The one expression that a model names for a face: five ballots make a vote.",
        "Network and embedding": (
            "A network turns the pixels of a face into a short list of numbers, its embedding: faces that look alike "
            "have lists that are alike."
        ),
        "PCA": (
            "Of such a list it keeps only the directions in which faces differ most (principal components): fewer "
            "numbers to learn from."
        ),
        "SMOTE": (
            "So that rare expressions are not overlooked, it adds made-up examples to them, each somewhere between two "
            "real ones."
        ),
        "SMOTEENN": "SMOTE, after which examples are removed whose neighbours are of another expression.",
        "Class weights": "While a model learns, mistakes on rare expressions cost more.",
        "Stacking": "Several models of different kinds answer, and one more learns how far to believe each of them.",
        "XGBoost": "Many small decision trees, each of which mends what those before it got wrong.",
        "Macro-F1": (
            "One mark for all expressions, each counting alike, however rare: how many of its faces are found, and how "
            f"many votes for it are right{share}."
        ),
        "Calibration": (
            "Probabilities are corrected on faces that nothing was learnt from, so that of 100 votes that claim 70% "
            f"about 70 are right{uncalibrated}."
        ),
        "95% interval": (
            "The range that holds the true share, at a confidence of 95%: the fewer faces there were, the wider it is."
        ),
    }
