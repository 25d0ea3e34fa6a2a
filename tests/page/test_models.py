"""The part Models is for people first: what it says is what was measured, of whatever models are chosen."""

import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
import streamlit as st
from streamlit.testing.v1 import AppTest

from emotion import config, load_models
from emotion.page.models import sentences
from emotion.page.models.drawings import way
from emotion.page.models.words import models_told, terms_told
from emotion.training.card import findings
from emotion.vote.loading import read_manifest
from emotion.vote.measured.reading import ClassCount, measured
from emotion.vote.measured.shares import interval
from tests.tiny_models import write_tiny_models

PART = """
from emotion import config, load_models
from emotion.page.models import show_models
show_models(load_models(config.MODELS))
"""

WITH_PICTURES = """
from emotion import config, load_models
from emotion.page.models import show_models
from emotion.page.pictures import show_pictures
models = load_models(config.MODELS)
show_pictures(models)
show_models(models)
"""

HOSTILE = ("<b>Glad</b>", "**Calm** :smile:", "[Sad](https://example.org) $x$", '"><img src=x onerror=alert(1)>')
"""Names of classes, which are those of folders."""

SHIPPED = read_manifest(config.MODELS)

FOUND = re.compile(r"Of (?:the |only )?(\d+) faces? that most people call (\w+) it finds (\w+)(?:, and calls (.*))?\.")


@pytest.fixture
def with_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Draw the part of models of these classes, whose manifest also says these things."""

    def drawn(classes: tuple[str, ...], script: str = PART, /, **said: Any) -> AppTest:
        folder = write_tiny_models(tmp_path / "models", classes)
        (folder / "README.md").write_text("# Model card\n\nthe card\n", encoding="utf-8")
        manifest = json.loads((folder / config.MANIFEST_FILE).read_text(encoding="utf-8")) | said
        (folder / config.MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
        monkeypatch.setattr(config, "MODELS", folder)
        return AppTest.from_string(script, default_timeout=30).run()

    st.cache_resource.clear()
    return drawn


def measured_parts(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a manifest says besides its files: of other files, too."""
    return {name: value for name, value in manifest.items() if name not in ("files", "networks")}


def of_few(classes: tuple[str, ...], part: str = "test", **judged: Any) -> dict[str, Any]:
    """What a manifest says of models that were tried on some thirty faces."""
    n = len(classes)
    rows = [[6 if row == column else int(column == (row + 1) % n) for column in range(n)] for row in range(n)]
    counts = {
        label: {"faces": 7, "right": 6, "voted": sum(row[code] for row in rows)} for code, label in enumerate(classes)
    }
    vote = {"faces": 7 * n, "accuracy": 6 / 7, "macro_f1": 0.8, "classes": counts}
    return {
        "labels": "table",
        "judged": {"by": "test", "faces": 7 * n} | judged,
        "scores": {"vote": {part: vote}, "dummy": {part: vote | {"accuracy": 1 / n}}},
        "confusion": {"part": part, "classes": list(classes), "rows": rows},
    }


def bodies(part: AppTest) -> list[str]:
    return [element.proto.body for element in part.get("html")]


def told(part: AppTest) -> str:
    """All that the part says in HTML, without its tags; one element a line."""
    return "\n".join(html.unescape(re.sub("<[^>]*>", " ", body)) for body in bodies(part))


def charts(part: AppTest) -> list[str]:
    """What is said of the charts to those who do not see them."""
    return [html.unescape(alt) for body in bodies(part) for alt in re.findall('role="img" aria-label="([^"]*)"', body)]


def test_what_is_found_and_mixed_up_is_what_was_measured() -> None:
    """Each number of the sentences comes out again when it is counted anew."""
    classes, rows = SHIPPED["confusion"]["classes"], SHIPPED["confusion"]["rows"]
    tried = measured(SHIPPED).tried
    assert tried is not None
    for label, row, count in zip(classes, rows, tried.classes, strict=True):
        match = FOUND.fullmatch(sentences.found(count, tried.part))
        assert match is not None
        of, named, hits, calls = match.groups()
        assert named == label
        assert int(of) == (100 if sum(row) >= 200 else sum(row))
        numbers = dict(zip(classes, (round(int(of) * n / sum(row)) for n in row), strict=True))
        assert int(hits) == numbers.pop(label)
        mixed = [pair.split(" ", 1) for pair in (calls or "").split(" and ") if pair]
        assert [int(n) for n, _ in mixed] == sorted((n for n in numbers.values() if n), reverse=True)[:2]
        assert all(numbers[other] == int(n) for n, other in mixed)


def test_page_and_card_say_the_same_of_each_expression() -> None:
    """They stand on one page: of two mix-ups that are as frequent, each named another one."""
    tried = measured(SHIPPED).tried
    assert tried is not None
    on_card = findings(SHIPPED["confusion"]).replace("*", "").replace("the vote finds", "it finds")
    on_page = [f"- {sentences.found(count, tried.part)}" for count in tried.classes]
    assert on_card.replace("; it calls", ", and calls").splitlines() == on_page


def test_headings_of_the_card_stand_below_those_of_the_page(with_manifest: Callable[..., AppTest]) -> None:
    part = with_manifest(("Calm", "Glad"))
    (config.MODELS / "README.md").write_text("# Model card\n\n## How\n\n#hash and # sign\n", encoding="utf-8")
    part.run()
    assert part.expander[0].markdown[0].value == "#### How\n\n#hash and # sign"


def test_a_teacher_reads_first_what_happens_and_how_often_it_is_right(with_manifest: Callable[..., AppTest]) -> None:
    part = with_manifest(config.EMOTIONS, **measured_parts(SHIPPED))
    assert not part.exception
    assert [heading.value for heading in part.header] == [
        "From a picture to a vote",
        "The same face, five ballots",
        "What they find, and what they mix up",
        "On other kinds of pictures",
        "When not to trust them",
        "The five models, and the words",
    ]
    text = told(part)
    assert "they know Angry, Disgust, Fear, Happy, Neutral, Sad, Surprise" in text
    first = text[: text.index("When not to") if "When not to" in text else text.index("such votes were right")]
    assert not re.search("SMOTE|PCA|F1|XGBoost|onnx", first)
    vote = SHIPPED["scores"]["vote"]["ferplus_majority"]
    assert f"The vote is right on {100 * vote['accuracy']:.0f} of 100" in text
    held = SHIPPED["reliability"]
    assert f"votes claim {held['claimed']:.0%} on average, and {held['right']:.0%} of people see the same" in text
    assert f"less than {SHIPPED['calibration']['uncertain_below']:.0%} are called uncertain" in text
    assert not re.search(r"\d[.,]\d+ ?%", text), "shares are whole per cent"
    [card, _] = part.expander
    assert card.label == "The model card: everything that was measured"
    assert not card.proto.expanded
    assert "the card" in [element.value for element in card.markdown]


def test_each_test_set_has_one_chart_and_its_numbers_in_words(with_manifest: Callable[..., AppTest]) -> None:
    part = with_manifest(config.EMOTIONS, **measured_parts(SHIPPED))
    main, *others, reliability = charts(part)
    right, faces = (
        SHIPPED["scores"]["vote"]["ferplus_majority"]["classes"]["Sad"][name] for name in ("right", "faces")
    )
    low, high = interval(right, faces)
    assert f"Sad {right / faces:.0%} ({100 * low:.0f} to {100 * high:.0f})" in main
    assert len(others) == len(SHIPPED["elsewhere"])
    for alt, (name, of) in zip(others, SHIPPED["elsewhere"].items(), strict=True):
        assert f"in {name}" in alt
        fear = of["classes"]["Fear"]
        share = (
            f"{fear['right'] / fear['faces']:.0%}" if fear["faces"] >= 200 else f"{fear['right']} of {fear['faces']}"
        )
        assert f"Fear {share}" in alt
        assert f"it claims {of['claimed']:.0%} on average" in told(part)
    bins = SHIPPED["reliability"]["bins"]
    shown = [c for c, faces in zip(bins["confidence"], bins["faces"], strict=True) if faces >= 10]
    assert re.findall(r"claimed (\d+%)", reliability) == [f"{claimed:.0%}" for claimed in shown]


def test_own_classes_of_few_faces_are_told_by_their_counts(with_manifest: Callable[..., AppTest]) -> None:
    """Six of seven are not eighty-six of a hundred."""
    part = with_manifest(("Calm", "Glad", "Tired"), **of_few(("Calm", "Glad", "Tired")))
    assert not part.exception
    text = told(part)
    assert "they know Calm, Glad, Tired" in text
    assert "Of only 7 faces labelled Glad it finds 6, and calls 1 Tired." in text
    assert "The vote is right on 18 of 21; somebody who always says the commonest expression, on 7 of 21." in text
    assert "So few faces tell little" in text
    assert "How often votes are right that claim a probability was not measured." in text
    assert "On other kinds of pictures they were not tried" in text
    [chart] = charts(part)
    assert "Glad 6 of 7 (49 to 97%)" in chart
    assert "On other kinds of pictures" not in [heading.value for heading in part.header]


def test_the_line_across_a_bar_is_wide_where_faces_are_few(with_manifest: Callable[..., AppTest]) -> None:
    judged = of_few(("Calm", "Glad"))
    judged["confusion"]["rows"] = [[15, 5], [0, 20]]
    part = with_manifest(("Calm", "Glad"), **judged)
    low, high = interval(15, 20)
    [chart] = [body for body in bodies(part) if 'role="img"' in body]
    assert f"left: {low:.1%}; width: {high - low:.1%}" in chart


def test_cross_validation_is_said_in_plain_words_and_widens_the_ranges(with_manifest: Callable[..., AppTest]) -> None:
    judged = of_few(("Calm", "Glad"), "cross_validation", by="cross-validation", folds=10, repeats=2)
    judged["scores"]["vote"]["cross_validation"]["independent"] = 0.8
    judged["confusion"]["rows"] = [[15, 5], [0, 20]]
    part = with_manifest(("Calm", "Glad"), **judged)
    assert "too few faces to set some aside" in told(part)
    low, high = interval(15, 20, 0.8)
    assert f"Calm 15 of 20 ({100 * low:.0f} to {high:.0%})" in charts(part)[0]


def test_models_that_were_not_measured_claim_nothing(with_manifest: Callable[..., AppTest]) -> None:
    why = "Sad has a single face."
    nothing = {"exponents": [1.0] * 3, "shifts": [0.0] * 3, "uncertain_below": 0.0, "interval": None, "faces": 8}
    part = with_manifest(("Happy", "Sad", "Wry"), judged={"by": "nothing", "why": why}, scores={}, calibration=nothing)
    assert not part.exception
    text = told(part)
    assert f"How good these models are was not measured. {why}" in text
    assert "could not be measured: 8 faces are too few. No vote is called uncertain for a low probability." in text
    assert "They know no calm face: each one is called one of Happy, Sad, Wry." in text
    assert "here there were too few such faces for it" in text
    assert not charts(part)


@pytest.mark.parametrize(
    "lacking", sorted(measured_parts(SHIPPED).keys() - {"classes", "calibration", "format_version"})
)
def test_a_manifest_that_lacks_a_part_is_shown_without_it(with_manifest: Callable[..., AppTest], lacking: str) -> None:
    """Older trainings, and fast ones, write less."""
    said = measured_parts(SHIPPED)
    del said[lacking]
    part = with_manifest(config.EMOTIONS, **said)
    assert not part.exception
    assert "cannot be read" not in told(part)


def test_a_manifest_of_the_least_that_votes_is_shown(with_manifest: Callable[..., AppTest]) -> None:
    part = with_manifest(("Calm", "Glad"))
    assert not part.exception
    assert "How good these models are was not measured." in told(part)


def test_a_damaged_part_of_the_manifest_is_named(with_manifest: Callable[..., AppTest]) -> None:
    part = with_manifest(config.EMOTIONS, **measured_parts(SHIPPED) | {"reliability": {"claimed": "much"}})
    assert not part.exception
    assert "The manifest of these models cannot be read in these parts: reliability." in told(part)


def test_names_of_classes_are_texts_and_neither_html_nor_markdown(with_manifest: Callable[..., AppTest]) -> None:
    """Folders are called what somebody else called them: a picture in a name would be fetched from their server."""
    said = of_few(HOSTILE)
    counts = said["scores"]["vote"]["test"]["classes"]
    bins = {"confidence": [0.5], "precision": [0.6], "faces": [70]}
    said["elsewhere"] = {
        HOSTILE[3]: {"pictures": 28, "found": 28, "right": 24, "claimed": 0.9, "classes": counts, "bins": bins}
    }
    part = with_manifest(HOSTILE, **said)
    assert not part.exception
    for body in bodies(part):
        assert "<b>" not in body
        assert "<img" not in body
        assert not re.search('aria-label="[^"]*"[^ ]', body)
    for name in HOSTILE:
        assert name in html.unescape("".join(bodies(part)))
        for element in (*part.markdown, *part.caption, *part.header):
            assert name not in element.value


def test_the_same_face_goes_through_all_five_models(with_manifest: Callable[..., AppTest]) -> None:
    part = with_manifest(("Calm", "Glad", "Tired"))
    assert part.selectbox[0].options == ["Eileen Collins", "Grace Hopper"]
    [table] = [body for body in bodies(part) if "<table" in body]
    rows = re.findall(r"<td>(\d)</td><td>(\w+)</td><td>(\w+)</td><td><progress value=\"([\d.]+)\"", table)
    assert [name for _, name, *_ in rows] == ["model_1", "model_boost_1", "model_2", "model_boost_2", "model_3"]
    assert {label for *_, label, _ in rows} == {"Glad"}, "tiny models call what is neither dark nor bright the second"
    assert "claims: Glad" in told(part)


def test_the_face_last_looked_at_is_shown_first(with_manifest: Callable[..., AppTest]) -> None:
    """What a visitor has just seen is what they want explained."""
    part = with_manifest(("Calm", "Glad", "Tired"), WITH_PICTURES)
    portrait = cv2.imencode(".png", cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))[1].tobytes()
    part.session_state["visit"].request.pending.append(("me.png", lambda: portrait))
    part.run()
    assert not part.exception
    [choice] = [box for box in part.selectbox if box.label == "Face"]
    assert choice.options == ["Last looked at: me.png", "Eileen Collins", "Grace Hopper"]
    assert choice.value == "Last looked at: me.png"
    seen = part.session_state["visit"].request.pictures[0].faces[0].vector
    said = load_models(config.MODELS).model_probabilities(np.stack([seen]))[0]
    [table] = [body for body in bodies(part) if "Probability" in body]
    assert re.findall(r"</progress> (\d+%)", table)[0] == f"{said[0].max():.0%}"


@pytest.mark.parametrize("has_networks", [True, False])
def test_the_drawn_way_is_a_drawing_that_goes_with_light_and_dark(has_networks: bool) -> None:
    drawn = way(has_networks=has_networks)
    ET.fromstring(drawn)
    assert "prefers-color-scheme: dark" in drawn
    assert ("network 1" in drawn) == has_networks
    for name in config.MODEL_NAMES:
        assert f"{name.partition('_')[2]}</text>" in drawn


def test_numbers_are_not_taken_for_those_of_models_that_learnt_ones_face(
    with_manifest: Callable[..., AppTest],
) -> None:
    said = "What stands here was measured of those that know nobody."
    part = with_manifest(("Calm", "Glad", "Tired"))
    assert said not in told(part)
    part.session_state["visit"].face.used = SimpleNamespace(models=SimpleNamespace(is_personal=True))
    part.session_state["for_my_face"] = True
    part.run()
    assert not part.exception
    assert said in told(part)


def test_models_and_words_are_explained_in_one_sentence_each() -> None:
    of = measured(SHIPPED)
    models, terms = models_told(of), terms_told(of)
    assert set(models) == set(config.MODEL_NAMES)
    assert models["model_3"] == "A stack behind network 3, which learnt from 45 numbers of each face, with SMOTEENN."
    assert {"Ballot", "SMOTE", "PCA", "Stacking", "Macro-F1", "Calibration"} <= set(terms)
    for text in (*models.values(), *terms.values()):
        assert re.fullmatch(r"[^.]+\.", text)


def test_small_counts_of_a_large_class_are_not_told_as_mix_ups() -> None:
    """Of 100, none: such a mix-up is hardly one."""
    count = ClassCount("Glad", 1000, 997, 997, (("Sad", 3),))
    assert sentences.found(count, "test") == "Of 100 faces labelled Glad it finds 100."
    assert sentences.found(ClassCount("Glad", 0, 0, 0), "test") == "There was no face labelled Glad."
    assert sentences.found(ClassCount("Glad", 1, 0, 0, (("Sad", 1),)), "test") == (
        "Of only 1 face labelled Glad it finds none, and calls 1 Sad."
    )
