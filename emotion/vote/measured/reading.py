"""What a manifest says of how good its models are, read part by part: older ones, and those of few faces, lack some."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")

PEOPLE: Final = "ferplus_majority"
"""The part of the test faces that is judged by what most of ten people saw."""
TABLE: Final = "test"
"""All test faces, judged by the labels that they came with."""
CROSSED: Final = "cross_validation"


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How votes did on the faces of one class.

    Attributes
    ----------
    label : str
    faces : int, of this class
    right : int, of these
    voted : int, votes for this class, on whatever faces
    taken_for : tuple of (str, int), the classes that its other faces were taken for, in their order, and how many;
        empty where that is not known
    """

    label: str
    faces: int
    right: int
    voted: int
    taken_for: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if self.right > min(self.faces, self.voted):
            raise ValueError(f"more right than there are: {self}")


@dataclass(frozen=True, slots=True)
class Tried:
    """How votes did on one set of faces.

    Attributes
    ----------
    part : str, as the manifest calls it
    faces, right : int
    classes : tuple of ClassCount
    macro_f1 : float, 0-1, optional
    by_habit : float, 0-1, optional: the share on which somebody is right who always says the commonest class
    independent : float, 0-1, as in `emotion.vote.measured.shares.interval`
    """

    part: str
    faces: int
    right: int
    classes: tuple[ClassCount, ...]
    macro_f1: float | None = None
    by_habit: float | None = None
    independent: float = 1.0


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How the whole way from picture to vote did on pictures of another kind.

    Attributes
    ----------
    name : str
    pictures : int
    found : int, of these, in which a face was found
    right : int, of these
    claimed : float, 0-1, the mean probability of the labels
    classes : tuple of ClassCount, whose `faces` are pictures, found or not
    """

    name: str
    pictures: int
    found: int
    right: int
    claimed: float
    classes: tuple[ClassCount, ...]

    def __post_init__(self) -> None:
        if not 0 < self.found <= self.pictures or self.right > self.found:
            raise ValueError(f"more found than there are: {self}")


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often votes are right that claim a probability.

    Attributes
    ----------
    claimed, right : float, 0-1, means over all votes; right is the share of people who see the same, where there are
        such
    uncertain : float, 0-1, the share of votes that are called uncertain
    uncertain_right, certain_right : float, 0-1, of these and of the others
    bins : tuple of (float, float, int), what votes claim, how often they are right, and how many there are
    """

    claimed: float
    right: float
    uncertain: float
    uncertain_right: float
    certain_right: float
    bins: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What models of one experiment learnt from, and how.

    Attributes
    ----------
    number : int
    models : tuple of str
    components : int, numbers that are left of a face
    resampling : str, such as ``SMOTE``
    is_weighted : bool, whether mistakes on rare classes cost more
    """

    number: int
    models: tuple[str, ...]
    components: int
    resampling: str
    is_weighted: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of models.

    Attributes
    ----------
    by : str, ``test``, ``cross-validation`` or ``nothing``
    why : str, where nothing was measured, the reason, if it is known
    of_people : bool, whether models learnt what several people saw, and not one label
    has_networks : bool, whether the models stand on networks, and not on pixels
    tried : Tried, optional: on what the models learnt
    other : Tried, optional: the same faces, judged by other labels
    reliability : Reliability, optional
    uncertain_below : float, 0-1, as in `emotion.vote.voting.Calibration`, optional: where it was measured
    validation : int, optional: how many faces there were to measure it on
    elsewhere : tuple of Elsewhere
    recipes : tuple of Recipe
    unreadable : tuple of str, parts that are there and cannot be read
    """

    by: str
    why: str
    of_people: bool
    has_networks: bool
    tried: Tried | None
    other: Tried | None
    reliability: Reliability | None
    uncertain_below: float | None
    validation: int | None
    elsewhere: tuple[Elsewhere, ...]
    recipes: tuple[Recipe, ...]
    unreadable: tuple[str, ...]


def measured(manifest: Mapping[str, Any]) -> Measured:
    """Read what a manifest says of how good its models are.

    Parameters
    ----------
    manifest : mapping, as `emotion.vote.loading.read_manifest` gives it

    Returns
    -------
    Measured
    """
    unreadable: list[str] = []

    def read(part: str, how: Callable[[], T]) -> T | None:
        try:
            return how()
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            unreadable.append(part)
            return None

    of_people = manifest.get("labels") == "votes"
    judged = manifest.get("judged")
    how = judged if isinstance(judged, Mapping) else {}
    tried, other = read("scores", lambda: _tried(manifest, of_people)) or (None, None)
    held = read("reliability", lambda: _reliability(manifest["reliability"])) if manifest.get("reliability") else None
    bound, validation = read("calibration", lambda: _bound(manifest["calibration"])) or (None, None)
    sets = manifest.get("elsewhere", {})
    sets = sets if isinstance(sets, Mapping) else {"elsewhere": None}
    elsewhere = [read(str(name), lambda name=name, of=of: _elsewhere(name, of)) for name, of in sets.items()]  # type: ignore[misc]
    recipes = read("experiments", lambda: tuple(map(_recipe, manifest.get("experiments", ()))))
    return Measured(
        by=str(how.get("by", "test")) if tried else "nothing",
        why=str(how.get("why", "")),
        of_people=of_people,
        has_networks=bool(manifest.get("networks")),
        tried=tried,
        other=other,
        reliability=held,
        uncertain_below=bound,
        validation=validation,
        elsewhere=tuple(of for of in elsewhere if of is not None),
        recipes=recipes or (),
        unreadable=tuple(unreadable),
    )


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"no count: {value!r:.40}")
    return value


def _share(value: Any) -> float:
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"no share: {value!r:.40}")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"no text: {value!r:.40}")
    return value


def _of_classes(classes: Mapping[str, Any]) -> tuple[ClassCount, ...]:
    return tuple(
        ClassCount(_text(label), _count(of["faces"]), _count(of["right"]), _count(of["voted"]))
        for label, of in classes.items()
    )


def _of_matrix(matrix: Mapping[str, Any]) -> tuple[ClassCount, ...]:
    labels = [_text(label) for label in matrix["classes"]]
    rows = [[_count(count) for count in row] for row in matrix["rows"]]
    counts = []
    for code, (label, row) in enumerate(zip(labels, rows, strict=True)):
        pairs = enumerate(zip(labels, row, strict=True))
        taken_for = tuple(pair for place, pair in pairs if place != code and pair[1])
        counts.append(ClassCount(label, sum(row), row[code], sum(row[code] for row in rows), taken_for))
    return tuple(counts)


def _tried(manifest: Mapping[str, Any], of_people: bool) -> tuple[Tried | None, Tried | None]:
    """Give how the vote did by the labels that the models learnt, and by others."""
    scores = manifest.get("scores") or {}
    parts, matrix = scores.get("vote", {}), manifest.get("confusion")
    order = (CROSSED, PEOPLE, TABLE) if of_people else (CROSSED, TABLE, PEOPLE)
    found = [part for part in order if part in parts and _count(parts[part]["faces"])]
    if not found:
        return None, None
    main = matrix["part"] if matrix else found[0]
    of_matrix = _of_matrix(matrix) if matrix else None
    other = next((part for part in found if part != main), None)
    return _of_part(scores, main, of_matrix), _of_part(scores, other) if other else None


def _of_part(scores: Mapping[str, Any], part: str, classes: tuple[ClassCount, ...] | None = None) -> Tried:
    figures = scores["vote"][part]
    habit = scores.get("dummy", {}).get(part)
    independent = _share(figures.get("independent", 1.0))
    if not independent:
        raise ValueError("faces of which nothing is learnt")
    return Tried(
        part,
        _count(figures["faces"]),
        round(_share(figures["accuracy"]) * figures["faces"]),
        _of_classes(figures["classes"]) if classes is None else classes,
        _share(figures["macro_f1"]) if "macro_f1" in figures else None,
        None if habit is None else _share(habit["accuracy"]),
        independent,
    )


def _bins(bins: Mapping[str, Any]) -> tuple[tuple[float, float, int], ...]:
    columns = bins["confidence"], bins["precision"], bins["faces"]
    return tuple(
        (_share(claimed), _share(right), _count(faces)) for claimed, right, faces in zip(*columns, strict=True)
    )


def _reliability(held: Mapping[str, Any]) -> Reliability:
    claimed, right, uncertain = (_share(held[name]) for name in ("claimed", "right", "uncertain"))
    uncertain_right, certain_right = (_share(held[name]) for name in ("uncertain_precision", "certain_precision"))
    return Reliability(claimed, right, uncertain, uncertain_right, certain_right, _bins(held["bins"]))


def _bound(calibration: Mapping[str, Any]) -> tuple[float | None, int | None]:
    """Give below what votes are uncertain, where that was measured, and on how many faces it was sought."""
    is_measured = calibration.get("interval", ()) is not None
    faces = calibration.get("faces")
    return _share(calibration["uncertain_below"]) if is_measured else None, None if faces is None else _count(faces)


def _elsewhere(name: str, of: Mapping[str, Any]) -> Elsewhere:
    pictures, found, right = (_count(of[key]) for key in ("pictures", "found", "right"))
    return Elsewhere(_text(name), pictures, found, right, _share(of["claimed"]), _of_classes(of["classes"]))


def _recipe(of: Mapping[str, Any]) -> Recipe:
    return Recipe(
        _count(of["number"]),
        tuple(_text(name) for name in of["models"]),
        _count(of["components"]),
        _text(of["resampling"]),
        of.get("class_weight") is not None,
    )
