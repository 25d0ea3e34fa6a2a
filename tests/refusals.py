"""docs/refusals.md, and what keeps it true: each place that refuses something has a test that provokes it.

    EMOTION_REFUSALS=/tmp/record .venv/bin/python -m pytest -n auto && .venv/bin/python -m tests.refusals /tmp/record

The first command notes which test provokes which refusal, the second writes the list and the page. From then on, each
of the tests that are named fails where it does not provoke its refusal any more (tests/conftest.py), and a place that
the list lacks fails test_refusals.py.
"""

import ast
import json
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

import emotion.errors
from emotion import config

RECORD: Final = "EMOTION_REFUSALS"
LIST: Final = Path(__file__).with_name("refusals.json")
PAGE: Final = config.ROOT / "docs" / "refusals.md"
ERRORS: Final = {
    name
    for name, found in vars(emotion.errors).items()
    if isinstance(found, type) and issubclass(found, emotion.errors.EmotionError)
} | {"NotAPictureError"}
HEAD: Final = """\
# What is refused, and what is said

Whatever the program refuses, it says in a sentence or two what happened and what to do. Each sentence stands here as a
test of the project provokes it; names of files are those of the test. `python -m tests.refusals` writes this page.

"""


class Span(NamedTuple):
    """A call that makes an error: its place, and its first and last line."""

    place: str
    first: int
    last: int


@cache
def spans_of(file: Path) -> tuple[Span, ...]:
    """Find the calls of a file that make errors for users; a place is the file, the function, and a number."""
    found: list[Span] = []

    def walk(node: ast.AST, names: list[str], calls: list[ast.Call]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                own: list[ast.Call] = []
                walk(child, [*names, child.name], own)
                for number, call in enumerate(own, start=1):
                    place = f"{file.relative_to(config.ROOT).as_posix()} {'.'.join([*names, child.name])} {number}"
                    found.append(Span(place, call.lineno, call.end_lineno or call.lineno))
            else:
                if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id in ERRORS:
                    calls.append(child)
                walk(child, names, calls)

    walk(ast.parse(file.read_text(encoding="utf-8")), [], [])
    return tuple(found)


def sources() -> list[Path]:
    """All files whose refusals are listed."""
    scripts = [config.ROOT / name for name in ("kaggle_handler.py", "image_to_vector.py")]
    return [*sorted((config.ROOT / "emotion").rglob("*.py")), *scripts]


def places() -> list[str]:
    """All places that refuse something."""
    return [span.place for file in sources() for span in spans_of(file)]


def place_of(frame: FrameType | None) -> str | None:
    """Say which of these places made an error, from the frame that called its class."""
    while frame is not None and isinstance(frame.f_locals.get("self"), emotion.errors.EmotionError):
        frame = frame.f_back
    if frame is None or not Path(frame.f_code.co_filename).is_relative_to(config.ROOT):
        return None
    file = Path(frame.f_code.co_filename)
    if file not in sources_set():
        return None
    return next((span.place for span in spans_of(file) if span.first <= frame.f_lineno <= span.last), None)


@cache
def sources_set() -> frozenset[Path]:
    """The same files, to look one up."""
    return frozenset(sources())


@cache
def listed() -> dict[str, dict[str, str]]:
    """What the list has: of each place, the test that provokes it, and what is said then."""
    known: dict[str, dict[str, str]] = json.loads(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
    return known


@cache
def promised() -> dict[str, set[str]]:
    """What each test that the list names is to provoke."""
    tests: dict[str, set[str]] = {}
    for place, row in listed().items():
        tests.setdefault(row["test"], set()).add(place)
    return tests


def note(test: str, said: dict[str, str]) -> None:
    """Add what a test has provoked to the record, where one is asked for."""
    if folder := os.environ.get(RECORD):
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103  # some tests have Path's fail
        with open(f"{folder}/{os.getpid()}", "a", encoding="utf-8") as file:  # noqa: PTH123
            file.writelines(json.dumps([place, test, text]) + "\n" for place, text in said.items())


def _without_places(text: str) -> str:
    """Leave out what is this machine's: where the test, and the project, lie, and ports."""
    text = re.sub(r"/tmp/pytest-of-\w+/pytest-\d+/(popen-gw\d+/)?[\w-]+/?", "", text)
    text = text.replace(f"{config.ROOT}/", "").replace(str(config.ROOT), ".")
    return re.sub(r"(127\.0\.0\.1|localhost|\[::1\]):\d{4,5}", r"\1:PORT", text)


def _from_record(folder: Path) -> dict[str, dict[str, str]]:
    rows: dict[str, list[tuple[str, str]]] = {}
    for file in folder.iterdir():
        for line in file.read_text(encoding="utf-8").splitlines():
            place, test, text = json.loads(line)
            rows.setdefault(place, []).append((test, _without_places(text)))
    # The shortest is mostly the plainest.
    best = {place: min(found, key=lambda row: (len(row[0]), row[0])) for place, found in rows.items()}
    return {place: {"test": best[place][0], "said": best[place][1]} for place in places() if place in best}


def page(known: dict[str, dict[str, str]]) -> str:
    """Give the page, in Markdown."""
    parts: dict[str, list[str]] = {}
    for place, row in known.items():
        file, function, _ = place.rsplit(" ", 2)
        said = row["said"] if len(row["said"]) <= 400 else f"{row['said'][:400]}…"
        test = row["test"].partition("[")[0].removeprefix("tests/")
        parts.setdefault(file, []).append(f"| {_cell(said)} | `{function}` | `{test}` |")
    tables = [
        f"## {file}\n\n| what is said | by | test |\n|---|---|---|\n" + "\n".join(rows) + "\n"
        for file, rows in parts.items()
    ]
    return HEAD + f"{len(known)} refusals.\n\n" + "\n".join(tables)


def _cell(text: str) -> str:
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))
    return (
        printable.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`").replace("*", "\\*")
    )


def unprovoked(known: Iterable[str]) -> list[str]:
    """Places of which no test is known that provokes them."""
    return [place for place in places() if place not in set(known)]


def main() -> None:
    """Write the list and the page from a record."""
    known = _from_record(Path(sys.argv[1]))
    LIST.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(known), encoding="utf-8")
    print(f"{len(known)} refusals; without a test:", *unprovoked(known), sep="\n")


if __name__ == "__main__":
    main()
