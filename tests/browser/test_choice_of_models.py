"""Which models vote, as visitors choose it: by the page's address, by its list, and from part to part."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.live import SWAYING, component, open_part, see, see_none, serving, start, wait_until_drawn
from tests.tiny_models import write_tiny_models


@pytest.fixture(scope="module")
def with_own(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that has models of its own, beside those that ship."""
    folder = tmp_path_factory.mktemp("own")
    own = write_tiny_models(folder / "mine", ("Calm", "Glad", "Tired"))
    with serving(folder / "log", environment={"EMOTION_MODELS": str(own)}) as address:
        yield address
    log = (folder / "log").read_text()
    print(log)
    assert "emotion/page" not in log


def choice(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Models that vote")


def choose(page: Page, name: str) -> None:
    choice(page).click()
    page.get_by_role("option", name=name, exact=True).click()


def test_a_choice_stays_from_part_to_part_and_when_the_page_is_loaded_anew(
    open_page: Callable[..., Page], with_own: str
) -> None:
    page = open_page(server=with_own)
    expect(choice(page)).to_have_value("mine")
    choose(page, "shipped")
    expect(page).to_have_url(f"{with_own}/?models=shipped")
    open_part(page, "Pictures")
    expect(page).to_have_url(f"{with_own}/pictures?models=shipped")
    page.reload()
    expect(choice(page)).to_have_value("shipped")
    wait_until_drawn(page)
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_text("By the shipped models"))
    choose(page, "mine")
    see(page.get_by_text("By mine: Calm, Glad, Tired."))
    see_none(page.get_by_text("By the shipped models"))


def test_an_address_that_names_models_and_a_picture_opens_both(open_page: Callable[..., Page], with_own: str) -> None:
    page = open_page(server=with_own, path="/?models=shipped&url=ftp://x")
    see(page.get_by_text("Only web addresses are fetched"))
    expect(choice(page)).to_have_value("shipped")


def test_a_name_that_no_models_have_stays_said(open_page: Callable[..., Page], with_own: str) -> None:
    """The page is drawn again as soon as the browser has told of its camera."""
    page = open_page(server=with_own, path="/?models=theirs")
    component(page).get_by_role("button", name="Start").wait_for()
    wait_until_drawn(page)
    see(page.get_by_text("No models are called theirs here. There are: mine, shipped"))
    choose(page, "shipped")
    see_none(page.get_by_text("No models are called theirs here"))


def test_a_session_goes_on_with_its_models_until_it_is_started_anew(
    open_page: Callable[..., Page], with_own: str
) -> None:
    page = open_page(SWAYING, server=with_own)
    start(page)
    see(page.get_by_text("By mine: Calm, Glad, Tired."))
    choose(page, "shipped")
    see(
        page.get_by_text(
            "This session goes on with mine, as it began. To have the shipped models vote: press Stop, then Start."
        )
    )
    see(page.get_by_text("By mine: Calm, Glad, Tired."))
    component(page).get_by_role("button", name="Stop").click()
    start(page)
    see(page.get_by_text("By the shipped models"))
    see_none(page.get_by_text("This session goes on"))
