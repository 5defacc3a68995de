"""The pictures of a definition: complete, well-formed, nothing on top of anything else."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

import workflows.guards  # noqa: F401  (its guards are named in the shipped files)
from engine.definition import PREVIOUS, SAME, Definition
from engine.diagram import mermaid, svg
from engine.library import definition_files
from engine.loader import load
from workflows import FOLDER

SHIPPED = {path.stem: load(path.read_text(), name=path.name) for path in definition_files(FOLDER)}
SVG = "{http://www.w3.org/2000/svg}"


def _moves(definition: Definition) -> set[tuple[str, str, str]]:
    """Return (card, trigger, card it leads to) of everything that a picture must show."""
    found = {("$start", definition.start.name, definition.start.to)}
    for state in definition.states.values():
        for trigger in state.triggers.values():
            card = f"${trigger.name}" if trigger.overlay else state.name
            found.add((card, trigger.name, card if trigger.to in {PREVIOUS, SAME} else trigger.to))
    return found


@pytest.mark.parametrize("definition", SHIPPED.values(), ids=SHIPPED.keys())
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_svg_shows_every_state_and_every_trigger(definition: Definition, language: str) -> None:
    # given a shipped definition / when it is drawn
    root = ET.fromstring(svg(definition, language=language))  # noqa: S314  (our own text)

    # then each state is a card with its title, each trigger a row with its title
    cards = {group.get("data-state", ""): group for group in root.iter(f"{SVG}g") if group.get("data-state")}
    assert set(definition.states) <= set(cards)
    for state in definition.states.values():
        words = " ".join(text.text or "" for text in cards[state.name].iter(f"{SVG}text"))
        assert " ".join(state.title.text(language).split()) in words
        for trigger in state.triggers.values():
            if not trigger.overlay:
                assert trigger.title.text(language) in words
    rows = {
        (card, row.get("data-trigger", ""), row.get("data-to", ""))
        for card, group in cards.items()
        for row in group.iter(f"{SVG}g")
        if row.get("data-trigger")
    }
    assert rows == _moves(definition)


@pytest.mark.parametrize("definition", SHIPPED.values(), ids=SHIPPED.keys())
def test_no_card_lies_on_another_and_no_text_leaves_its_card(definition: Definition) -> None:
    # given a shipped definition / when it is drawn
    root = ET.fromstring(svg(definition))  # noqa: S314  (our own text)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    boxes = []
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            x, y, w, h = (float(rect.get(key, 0)) for key in ("x", "y", "width", "height"))
            boxes.append((x, y, x + w, y + h))
            for text in group.iter(f"{SVG}text"):
                # then every text starts and ends inside its card, at the width of a common letter
                letter = 7.8 if text.get("font-weight") else 6.7
                assert x < float(text.get("x", 0))
                assert float(text.get("x", 0)) + letter * len(text.text or "") <= x + w
                assert y < float(text.get("y", 0)) < y + h

    # and no two cards overlap, and all lie inside the picture
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    assert all(box[2] <= width and box[3] <= height for box in boxes)


@pytest.mark.parametrize("definition", SHIPPED.values(), ids=SHIPPED.keys())
def test_mermaid_names_every_state_and_every_move(definition: Definition) -> None:
    # given a shipped definition / when it is written as Mermaid
    text = mermaid(definition, language="en")

    # then each state stands in its phase, and each move is an arrow
    assert text.startswith("stateDiagram-v2\n")
    assert set(re.findall(r"^    s_(\w+) : ", text, re.MULTILINE)) == set(definition.states)
    arrows = re.findall(r"^  (\S+) --> (\S+)", text, re.MULTILINE)
    assert {one for one in arrows if one[1] != "[*]"} == {
        (
            "[*]" if card == "$start" else card.replace("$", "o_") if card.startswith("$") else f"s_{card}",
            to.replace("$", "o_") if to.startswith("$") else f"s_{to}",
        )
        for card, _, to in _moves(definition)
    }


def test_the_present_state_is_highlighted_and_only_it() -> None:
    # given the teaching example with a case that waits
    definition = SHIPPED["leave_request"]

    # when it is drawn for that case
    root = ET.fromstring(svg(definition, state="waiting"))  # noqa: S314  (our own text)

    # then that card is marked, in both pictures
    assert [one.get("data-state") for one in root.iter(f"{SVG}g") if one.get("data-here")] == ["waiting"]
    assert "class s_waiting here" in mermaid(definition, state="waiting")
    assert "here" not in mermaid(definition)


def test_words_that_look_like_markup_stay_words() -> None:
    # given titles with signs that mean something to XML or to Mermaid
    text = (FOLDER / "leave_request.yaml").read_text()
    text = text.replace("vi: Chờ duyệt", 'vi: "</text><script>&\\"; a --> b # x"')
    definition = load(text, name="hostile.yaml")

    # when it is drawn
    picture, lines = svg(definition), mermaid(definition)

    # then the signs are text, and nothing else
    root = ET.fromstring(picture)  # noqa: S314  (our own text)
    assert "<script" not in picture
    assert "</text><script>&" in " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert "#60;/text#62;#60;script#62;&#34;#59; a --#62; b #35; x" in lines
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
