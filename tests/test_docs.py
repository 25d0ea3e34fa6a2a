"""README and docs/ say what there is, all of it, and nothing else; their examples run."""

import argparse
import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

import emotion
import image_to_vector
import kaggle_handler
from emotion import cli, config
from tests.films import film

DOCS = config.ROOT / "docs"
PAGES = [config.ROOT / "README.md", config.ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}
EVERYTHING = "\n".join(TEXT.values())
COMMANDS = TEXT[DOCS / "command-line.md"]

OPTIONS_OF_OTHERS = re.compile(
    r"--(server|browser)\.\w+|--peer-python|--force-reinstall|--page|--minutes|--runs|--dist"
)
"""Of Streamlit, of pytest, and of the benchmarks, which say their own by --help."""

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def parsers() -> dict[str, argparse.ArgumentParser]:
    """What may be typed: each program, and each command of `emotion`."""
    [commands] = [a for a in cli.command_line()._actions if isinstance(a, argparse._SubParsersAction)]
    scripts = {"kaggle_handler.py": kaggle_handler.command_line(), "image_to_vector.py": image_to_vector.command_line()}
    return {f"emotion {name}": parser for name, parser in commands.choices.items()} | scripts


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings if name.startswith("--")} - {"--help"}


def section(title: str) -> str:
    """The part of the page on commands that has this heading."""
    return re.split(r"^## ", COMMANDS, flags=re.MULTILINE)[1:][headings(COMMANDS).index(title) - 1]


def headings(text: str) -> list[str]:
    return re.findall(r"^#{1,6} (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)


@pytest.mark.parametrize("name", parsers())
def test_every_option_is_described_where_its_command_is(name: str) -> None:
    described = set(re.findall(r"--[a-z][a-z-]+", section(name)))
    missing = options_of(parsers()[name]) - described
    assert not missing
    others = {"--server", "--keep-names"}  # of Streamlit, and of the program that made the tables
    assert described <= options_of(parsers()[name]) | others, "an option that this command has not"


@by_page
def test_no_option_is_named_that_there_is_not(page: Path) -> None:
    known = {option for parser in parsers().values() for option in options_of(parser)}
    text = OPTIONS_OF_OTHERS.sub("", TEXT[page])
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known | {"--help"}


def test_every_environment_variable_is_described_and_each_that_is_described_is_read() -> None:
    places = [*config.ROOT.glob("*.py"), *(config.ROOT / "emotion").rglob("*.py")]
    places += [config.ROOT / "tests" / "browser" / "live.py", *(config.ROOT / "notebooks").glob("*.ipynb")]
    read = set(re.findall(r"\b(?:EMOTION_[A-Z_]+|CHROMIUM)\b", "".join(p.read_text("utf-8") for p in places)))
    read = {name for name in read if not name.startswith("EMOTION_TEST_")}  # switches for tests alone
    assert set(re.findall(r"`(EMOTION_[A-Z_]+|CHROMIUM)`", section("Environment variables"))) == read
    assert set(re.findall(r"\bEMOTION_[A-Z_]+\b", EVERYTHING)) - {"EMOTION_TEST_ALLOW_LOOPBACK"} <= read


def test_every_target_of_make_is_described_and_each_that_is_described_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (config.ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"^\| `make ([a-z]+)`", section("make"), re.MULTILINE)) == targets
    named = re.findall(r"(?:^|`|    )make (?:\w+=\S+ )*([a-z]+)\b", EVERYTHING, re.MULTILINE)
    assert set(named) <= targets


def test_every_public_name_is_described() -> None:
    described = set(re.findall(r"^\| `emotion\.(\w+)", TEXT[DOCS / "python.md"], re.MULTILINE))
    assert described == set(emotion.__all__)
    for name in emotion.__all__:
        assert getattr(emotion, name).__doc__


def labels_of_the_page() -> set[str]:
    """What stands on buttons, fields, switches and parts of the page."""
    kinds = {
        "slider",
        "select_slider",
        "toggle",
        "text_area",
        "text_input",
        "file_uploader",
        "camera_input",
        "radio",
        "selectbox",
    }
    kinds |= {"button", "offer_download", "form_submit_button"}
    found = set()
    for file in (config.ROOT / "emotion" / "page").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in kinds:
                found |= {text.value for text in node.args[:1] if isinstance(text, ast.Constant)}
    return found


# What streamlit-webrtc draws, and names of other things that stand in the same letters.
ALSO_SLANTED = {"Start", "Pictures", "Films", "Models", "Webcam", "Your face", "uncertain"}


def test_every_setting_of_the_page_is_described_and_each_that_is_described_is_there() -> None:
    source = "".join(file.read_text("utf-8") for file in (config.ROOT / "emotion" / "page").rglob("*.py"))
    labels = labels_of_the_page()
    assert {"Seconds between votes", "Recognise", "Session as CSV"} <= labels
    described = set(re.findall(r"(?<![*\w])\*([^*\n]+)\*(?!\*)", TEXT[DOCS / "page.md"]))
    assert labels <= described
    assert {label for label in described - labels - ALSO_SLANTED if f'"{label}"' not in source} == set()


def test_the_places_that_contributors_are_led_to_are_there() -> None:
    rows = re.findall(r"^\| .+\? \| (.+) \|$", TEXT[DOCS / "CONTRIBUTING.md"], re.MULTILINE)
    assert len(rows) >= 10
    for row in rows:
        named = re.findall(r"`([^`]+)`", row)
        files = [config.ROOT / "emotion" / name for name in named if name.endswith(".py")]
        sources = "".join(file.read_text(encoding="utf-8") for file in files)
        for name in named:
            own = name.split(".")[-1]
            if own != "py":
                assert re.search(rf"(def|class) {own}\b|^    {own}: ", sources, re.MULTILINE), name


@by_page
def test_links_and_anchors_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT[page]):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if anchor:
            there = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings(file.read_text("utf-8"))]
            assert anchor in there, target


MADE = {
    "data.csv",
    "test.csv",
    "ferplus_votes.csv",
    "my-face.json",
    "my-models/",
    "my-notebooks/",
    "networks/",
    "Assets/NAME",
    "Assets/fer2013",
}
MADE |= {
    "my-face.json",
    "benchmarks/results/",
    "networks_further",
    "models/fitted/",
    "votes.csv.about.json",
    "test/",
    "models/people",
}


@by_page
def test_files_and_folders_that_are_named_are_there(page: Path) -> None:
    """Those in quotes that look like a path of this repository."""
    roots = [config.ROOT, config.ROOT / "emotion", config.MODELS, page.parent]
    for named in re.findall(r"`([\w./@-]+(?:/|\.(?:py|md|txt|json|ipynb|conf|service|xml|csv|toml)))`", TEXT[page]):
        assert named in MADE or any((root / named).exists() for root in roots), named


@by_page
def test_commands_that_are_shown_can_be_typed(page: Path) -> None:
    text = re.sub(r"\\\n\s*", "", TEXT[page])  # lines that go on
    for line in re.findall(r"^    (.+)$", text, re.MULTILINE):
        words = shlex.split(line, comments=True)
        if words[:3] == [".venv/bin/python", "-m", "emotion"] or words[:1] == ["emotion"]:
            arguments = words[3:] if words[1:2] == ["-m"] else words[1:]
            if "|" not in arguments:
                cli.command_line().parse_args(arguments)
        for name, script in (("kaggle_handler.py", kaggle_handler), ("image_to_vector.py", image_to_vector)):
            if name in words and len(words) > words.index(name) + 1:
                script.command_line().parse_args(words[words.index(name) + 1 :])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "code"),
    [
        pytest.param(page, code, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", TEXT[page], re.DOTALL | re.MULTILINE))
    ],
)
def test_examples_in_python_run(page: Path, code: str, tmp_path: Path) -> None:
    for name in ("portrait.jpg", "people.jpg"):
        shutil.copy(config.EXAMPLES / "Grace-Hopper.jpg", tmp_path / name)
    (tmp_path / "film.mp4").write_bytes(film([cv2.imread(str(tmp_path / "portrait.jpg"))] * 6, rate=5))
    environment = os.environ | {"PYTHONPATH": str(config.ROOT)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_readme_is_for_somebody_in_a_hurry() -> None:
    assert len(TEXT[config.ROOT / "README.md"].splitlines()) <= 150
    linked = set(re.findall(r"\]\((?:docs/)?([\w-]+\.md)\)", TEXT[config.ROOT / "README.md"]))
    assert {page.name for page in DOCS.glob("*.md")} <= linked, "a page that nobody would find"
