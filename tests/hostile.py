"""The table of tests/README.md, from the tests themselves: python -m tests.hostile

Every test that is marked `hostile` is a row for each of its cases.
"""

import contextlib
import io
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = HERE / "README.md"
MARK = "<!-- the table; python -m tests.hostile writes it -->\n"


class Collected:
    """Keeps what pytest finds, before anything of it is deselected."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.items = list(items)

    @property
    def is_whole(self) -> bool:
        """Whether each file that has such tests was looked at."""
        marked = {file for file in HERE.rglob("test_*.py") if "mark.hostile" in file.read_text(encoding="utf-8")}
        return marked <= {item.path for item in self.items}


def _told(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _cell(text: str) -> str:
    printable = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return printable.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")


def table(items: Iterable[pytest.Item]) -> str:
    """Give the table, in Markdown."""
    rows = []
    for item in items:
        mark = item.get_closest_marker("hostile")
        if mark is not None and isinstance(item, pytest.Function):
            case = item.callspec.id if hasattr(item, "callspec") else ""
            shown = case if len(case) <= 70 else f"{case[:69]}…"
            place = f"{item.path.relative_to(HERE).as_posix()}::{item.originalname}"
            cells = (_told(item.originalname), shown, mark.args[0], place)
            rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    head = f"{len(rows)} cases.\n\n| what is promised | case | what the user sees | test |\n|---|---|---|---|\n"
    return head + "\n".join(sorted(rows)) + "\n"


def main() -> None:
    """Collect all tests and write the table into tests/README.md."""
    collected = Collected()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main(["--collect-only", "--quiet", str(HERE)], plugins=[collected])
    if status != 0:
        sys.exit(f"the tests cannot be collected: {said.getvalue()[-2000:]}")
    before = README.read_text(encoding="utf-8").partition(MARK)[0]
    README.write_text(f"{before}{MARK}\n{table(collected.items)}", encoding="utf-8")


if __name__ == "__main__":
    main()
