"""What a manifest says of its models is read part by part: what it lacks is not there, what is damaged is named."""

from typing import Any

import pytest

from emotion import config
from emotion.vote.loading import read_manifest
from emotion.vote.measured.reading import measured


@pytest.fixture
def manifest() -> dict[str, Any]:
    return read_manifest(config.MODELS)


def test_every_count_is_that_of_the_manifest(manifest: dict[str, Any]) -> None:
    of, figures = measured(manifest), manifest["scores"]["vote"]["ferplus_majority"]
    assert of.tried is not None
    assert (of.tried.faces, of.tried.right) == (figures["faces"], round(figures["accuracy"] * figures["faces"]))
    assert {c.label: {"faces": c.faces, "right": c.right, "voted": c.voted} for c in of.tried.classes} == figures[
        "classes"
    ]
    for count, row in zip(of.tried.classes, manifest["confusion"]["rows"], strict=True):
        assert count.right + sum(n for _, n in count.taken_for) == count.faces == sum(row)
    for other in of.elsewhere:
        told = manifest["elsewhere"][other.name]
        assert (other.pictures, other.found, other.right) == (told["pictures"], told["found"], told["right"])
        assert sum(count.right for count in other.classes) == other.right
    assert not of.unreadable


@pytest.mark.parametrize(
    "lacking", ["confusion", "elsewhere", "reliability", "judged", "experiments", "scores", "labels"]
)
def test_a_manifest_may_lack_a_part(manifest: dict[str, Any], lacking: str) -> None:
    """Older trainings did not write all of them; the models vote as well."""
    del manifest[lacking]
    of = measured(manifest)
    assert not of.unreadable
    assert (of.tried is None) == (lacking == "scores")
    assert (of.reliability is None) == (lacking == "reliability")
    assert (of.elsewhere == ()) == (lacking == "elsewhere")


@pytest.mark.parametrize(
    ("part", "damaged"),
    [
        ("scores", {"vote": {"test": 5}}),
        ("scores", {"vote": {"test": {"faces": 3, "accuracy": 2.0, "classes": {}}}}),
        ("scores", [1]),
        ("confusion", {"part": "test", "classes": ["A"], "rows": [[1, 2], [3]]}),
        ("confusion", {"part": "elsewhere", "classes": [], "rows": []}),
        ("confusion", "rows"),
        ("reliability", {"claimed": "much"}),
        ("reliability", [0.5]),
        ("calibration", {"interval": [0, 1], "uncertain_below": 7}),
        ("elsewhere", {"RAF-DB": {"pictures": 3, "found": 5}}),
        ("elsewhere", {"RAF-DB": None}),
        ("elsewhere", [3]),
        ("experiments", [{"number": "one"}]),
        ("experiments", 4),
    ],
)
def test_a_part_that_is_damaged_is_named_and_the_others_are_there(
    manifest: dict[str, Any], part: str, damaged: Any
) -> None:
    """The whole part of the page was gone, with a fault in the log."""
    of = measured(manifest | {part: damaged})
    names = {"confusion": "scores"} | ({"elsewhere": "RAF-DB"} if isinstance(damaged, dict) else {})
    assert of.unreadable == (names.get(part, part),)
    assert (of.reliability is None) == (part == "reliability")
    assert (of.tried is None) == (part in ("scores", "confusion"))
