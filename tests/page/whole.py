"""The whole page without a browser, as somebody sees it who has gone on from the notice."""

from streamlit.testing.v1 import AppTest

from emotion import config
from emotion.page.state import Visit


def whole_page(*, told: bool = True) -> AppTest:
    """Give the page, to be run by the test; with `told=False`, as it is when somebody comes."""
    page = AppTest.from_file(str(config.PAGE_FILE), default_timeout=60)
    page.session_state["visit"] = Visit(told=told)
    return page
