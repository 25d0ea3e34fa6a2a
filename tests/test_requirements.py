"""What gets installed is bounded: a new major version of a library must not break the page over night."""

import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement

from emotion import config

FILES = [config.ROOT / "requirements.txt", *sorted((config.ROOT / "requirements").glob("*.txt"))]


def requirements() -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for file in FILES for line in file.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_dependency_is_bounded_on_both_sides(requirement: Requirement) -> None:
    operators = {specifier.operator for specifier in requirement.specifier}
    assert operators == {">=", "<"}


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_what_is_installed_is_what_was_asked_for(requirement: Requirement) -> None:
    """Figures and tests are of these versions."""
    if requirement.marker is None or requirement.marker.evaluate():
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            assert re.fullmatch("torch|onnxscript|jupyterlab", requirement.name), "only training's may be missing"
        else:
            assert requirement.specifier.contains(version.partition("+")[0])


def test_the_face_detector_outlives_an_update() -> None:
    """OpenCV 5 has no cascade classifier: without the bound, a fresh installation would find no face."""
    [opencv] = [requirement for requirement in requirements() if requirement.name == "opencv-python-headless"]
    assert not opencv.specifier.contains("5.0.0", prereleases=True)
