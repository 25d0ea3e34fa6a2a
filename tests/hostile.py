"""The table of tests/README.md, from the tests themselves: python -m tests.hostile

Every test that is marked `hostile` is a row for each of its cases.
"""

import contextlib
import io
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = HERE / "README.md"
MARK = "<!-- the table; python -m tests.hostile writes it -->\n"


class Collected:
    """Keeps what pytest finds."""

    def __init__(self) -> None:
        self.rows: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        for item in items:
            mark = item.get_closest_marker("hostile")
            if mark is not None:
                case = item.callspec.id if hasattr(item, "callspec") else ""
                shown = case if len(case) <= 70 else f"{case[:69]}…"
                cells = (
                    _told(item.originalname),
                    shown,
                    mark.args[0],
                    f"{item.path.relative_to(HERE).as_posix()}::{item.originalname}",
                )
                self.rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")


def _told(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _cell(text: str) -> str:
    printable = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return printable.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")


def table() -> str:
    """Give the table, in Markdown."""
    collected = Collected()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main(["--collect-only", "--quiet", str(HERE)], plugins=[collected])
    if status != 0:
        sys.exit(f"the tests cannot be collected: {said.getvalue()[-2000:]}")
    rows = sorted(collected.rows)
    head = f"{len(rows)} cases.\n\n| what is promised | case | what the user sees | test |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8").partition(MARK)[0]
    README.write_text(before + MARK + "\n" + table(), encoding="utf-8")
