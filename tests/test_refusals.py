"""docs/refusals.md lists all that users may be told, as tests provoke it."""

import pytest

from tests.conftest import COLLECTED
from tests.refusals import PAGE, listed, page, places, promised


def test_the_page_lists_every_refusal_there_is() -> None:
    """A sentence that no test has provoked may be wrong, or may never be said."""
    assert list(listed()) == places()
    assert PAGE.read_text(encoding="utf-8") == page(listed())


def test_the_tests_that_the_page_names_are_there(pytestconfig: pytest.Config) -> None:
    collected = pytestconfig.stash[COLLECTED]
    if not collected.is_whole:
        pytest.skip("only where all tests are looked at: make test")
    assert promised().keys() <= {item.nodeid for item in collected.items}
