"""The whole page without a mouse: every control is reached and seen, has a name, and can be left again."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser import test_accessible as parts
from tests.browser.live import FACE_CAPTION, SWAYING, component, see, see_none, wait_until_drawn

MOST_STOPS: Final = 150
"""Of the Tab key in one part; more is a trap."""

# What a mouse can press, also inside of components. In lists and groups of which one element is a stop, arrow keys
# reach the others. Where focus is, may be drawn by what stands around, as with switches, or beside a hidden field.
_PREPARE: Final = """async () => {
  const pressable = `a[href], button, input, select, textarea, summary, video[controls], [role=button], [role=link],
    [role=tab], [role=slider], [role=checkbox], [role=switch], [role=combobox], [role=radio], [role=gridcell]`;
  const groups = `[role=radiogroup], [role=tablist], [role=listbox], [role=grid], [role=toolbar],
    [data-testid=stSelectbox], [data-testid=stMultiSelect], [data-testid=stNumberInput]`;
  const everything = (root) => [...root.querySelectorAll("*")].flatMap(
    (element) => [element, ...(element.shadowRoot ? everything(element.shadowRoot) : [])]);
  const isThere = (element) => {
    const box = element.getBoundingClientRect();
    return element.checkVisibility({ visibilityProperty: true }) && box.width > 0 && box.height > 0
      && !element.disabled && element.ariaDisabled !== "true" && !element.closest("[inert], [aria-hidden=true]")
      && !(element.tabIndex < 0 && element.closest(groups));
  };
  const drawnBy = (element) => {
    const around = [element];
    while (around.length < 5 && around.at(-1).parentElement) around.push(around.at(-1).parentElement);
    return [...around, ...element.querySelectorAll("*"), ...(element.closest("label")?.querySelectorAll("*") ?? [])];
  };
  const atOnce = () => document.getAnimations().forEach((one) => one instanceof CSSTransition && one.finish());
  const look = (element) => (atOnce(), drawnBy(element)).map((part) => {
    const style = getComputedStyle(part);
    return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.backgroundColor,
      style.textDecorationLine, style.clipPath].join();
  }).join();
  const label = (element) => (element.ariaLabel || element.innerText || element.name || element.type || "").trim();
  const drawn = () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  document.activeElement?.blur();
  await drawn();
  const controls = everything(document).filter((element) => element.matches(pressable) && isThere(element));
  const looks = controls.map(look);
  window.focusedControl = async () => {
    await drawn();
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const number = controls.indexOf(element);
    return { number, tag: element?.tagName ?? "", isSeen: number < 0 || look(element) !== looks[number] };
  };
  return controls.map((element) => `${element.tagName.toLowerCase()} "${label(element)}"`);
}"""

_FOCUSED_LABEL: Final = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return !element || element.matches("body, main, iframe") ? "" : element.ariaLabel || element.innerText || "";
}"""


def focused_frame(page: Page) -> Frame:
    """Give the frame that has the focus: keys go there."""
    for frame in page.frames[1:]:
        if frame.frame_element().evaluate("element => element === document.activeElement"):
            return frame
    return page.main_frame


def missed(page: Page) -> list[str]:
    """Press Tab from the page's beginning to its end; say of what it does not reach, or does not show that it has."""
    wait_until_drawn(page)
    controls = {frame: frame.evaluate(_PREPARE) for frame in page.frames}
    left = {(frame, number) for frame, names in controls.items() for number in range(len(names))}
    unseen = []
    page.evaluate("document.querySelector('a[href]').focus()")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")  # as keys focus it, which browsers show in another way
    for _ in range(MOST_STOPS):
        frame = focused_frame(page)
        found: dict[str, Any] = frame.evaluate("focusedControl()")
        if found["tag"] == "BODY":
            break  # after the last one
        if (frame, found["number"]) in left and not found["isSeen"]:
            unseen.append(f"where the focus is cannot be seen: {controls[frame][found['number']]}")
        left.discard((frame, found["number"]))
        page.keyboard.press("Tab")
    else:
        return [f"no end after {MOST_STOPS} stops"]
    return [*unseen, *(f"not reached: {controls[frame][number]}" for frame, number in sorted(left, key=str))]


def nameless(page: Page) -> list[str]:
    """What keys reach and a screen reader has no name for."""
    session = page.context.new_cdp_session(page)
    tree = session.send("Page.getFrameTree")["frameTree"]
    frames = [tree["frame"]["id"], *(child["frame"]["id"] for child in tree.get("childFrames", []))]
    nodes = [node for id_ in frames for node in session.send("Accessibility.getFullAXTree", {"frameId": id_})["nodes"]]
    session.detach()
    return [
        node["role"]["value"]
        for node in nodes
        if not node.get("ignored")
        and any(has["name"] == "focusable" and has["value"]["value"] for has in node.get("properties", []))
        and not node.get("name", {}).get("value")
        and node["role"]["value"] not in ("RootWebArea", "main", "Iframe", "Canvas", "gridcell")
    ]


def go_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    wait_until_drawn(page)
    for _ in range(MOST_STOPS):
        label = focused_frame(page).evaluate(_FOCUSED_LABEL)  # the names of icons stand on lines of their own
        if name.casefold() in label.casefold().splitlines():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"keys do not lead to {name}")


@pytest.mark.slow
def test_keys_reach_every_control_of_every_part_and_show_where_they_are(open_page: Callable[..., Page]) -> None:
    page = open_page(SWAYING, told=False)
    found = []
    for part in (
        parts.notice,
        parts.webcam,
        parts.pictures,
        parts.several_faces,
        parts.films,
        parts.face,
        parts.models,
    ):
        part(page)
        wait_until_drawn(page)
        for folded in reversed(page.locator("details:not([open]) > summary").filter(visible=True).all()):
            folded.press("Enter")
        wait_until_drawn(page)
        found += [f"{part.__name__}: {fault}" for fault in missed(page)]
        found += [f"{part.__name__}: nameless {role}" for role in nameless(page)]
    assert not found, "\n".join(found)


def test_a_session_is_started_marked_and_stopped_by_keys(open_page: Callable[..., Page]) -> None:
    page = open_page(SWAYING, told=False)
    go_to(page, "Go on")
    page.keyboard.press("Enter")
    see(component(page).get_by_role("button", name="Start"))
    go_to(page, "Start")
    page.keyboard.press("Enter")
    see(page.get_by_text(FACE_CAPTION))
    wait_until_drawn(page)
    go_to(page, "Set mark")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("question 1")
    field = page.get_by_role("textbox", name="Mark this moment")
    expect(field).to_have_value("question 1")
    page.keyboard.press("Enter")
    expect(field).to_have_value("")  # it was taken; the sentence that says so goes with the page's next drawing
    go_to(page, "Stop")
    page.keyboard.press("Space")
    see(component(page).get_by_role("button", name="Start"))
    see_none(page.get_by_role("button", name="Set mark"))


def test_an_example_is_looked_at_by_keys(open_page: Callable[..., Page]) -> None:
    page = open_page(told=False)
    go_to(page, "Pictures")
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation").get_by_role("link", name="Pictures")).to_have_attribute(
        "aria-current", "page"
    )
    go_to(page, "Go on")
    page.keyboard.press("Space")
    see(page.get_by_role("button", name="Grace Hopper"))
    go_to(page, "Grace Hopper")
    page.keyboard.press("Enter")
    see(page.get_by_text("Grace-Hopper.jpg"))
    see(page.get_by_role("button", name="Results as CSV"))


def test_what_opens_by_keys_is_gone_through_and_closed_by_keys(open_page: Callable[..., Page]) -> None:
    page = open_page(path="/films")
    see(page.get_by_role("button", name="Which piece of it"))
    go_to(page, "Which piece of it")
    page.keyboard.press("Enter")
    see(page.get_by_role("textbox", name="From", exact=True))
    go_to(page, "Seconds between votes")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("slider", name="Seconds between votes")).to_have_attribute("aria-valuetext", "0.5")
    page.keyboard.press("Escape")
    see_none(page.get_by_role("textbox", name="From", exact=True))
    go_to(page, "Which piece of it")
