"""A definition as a picture: Mermaid text for documents, and SVG that needs nothing else.

In the SVG each phase is a column and each state a card; the card lists what can be done there and by whom,
so no word ever lies on a line. What many states share (overlays) stands once, in cards of its own below.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from engine.definition import PREVIOUS, SAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.definition import Definition, State, Trigger

_LINE, _CHARACTER, _PAD, _GAP, _COLUMN, _LANE = 17, 6.7, 10, 26, 230, 74
_LETTERS = int((_COLUMN - 2 * _PAD) / _CHARACTER)
_BOLD_LETTERS = _LETTERS - 5
_TOP = 84
_START = "$start"
_TINTS = {None: "#ffffff", "accepted": "#e3f4e6", "refused": "#fbe9e7", "stopped": "#eeeeee"}
_SAYS = {
    "vi": {
        "back": "quay lại bước trước", "stay": "giữ nguyên", "auto": "tự động", "anywhere": "Ở nhiều bước",
        "start": "Mở hồ sơ", "version": "phiên bản", "in": "ở", "d": "ngày", "wd": "ngày làm việc",
        "due": "hạn",
    },
    "en": {
        "back": "back to the step before", "stay": "stays", "auto": "automatic", "anywhere": "In many states",
        "start": "Opening", "version": "version", "in": "in", "d": "days", "wd": "working days",
        "due": "due",
    },
}  # fmt: skip


def mermaid(definition: Definition, *, state: str | None = None, language: str = "vi") -> str:
    """Return a Mermaid state diagram, its states grouped by phase; `state` is highlighted."""
    lines = ["stateDiagram-v2", "  direction LR"]
    for phase in definition.phases:
        inside = [one for one in definition.states.values() if one.phase == phase.name]
        if inside:
            lines.append(f'  state "{_plain(phase.title.text(language))}" as p_{phase.name} {{')
            lines += [f"    s_{one.name} : {_plain(one.title.text(language))}" for one in inside]
            lines.append("  }")
    lines.append(f"  [*] --> s_{definition.start.to} : {_plain(definition.start.title.text(language))}")
    says = _SAYS["en" if language == "en" else "vi"]
    for one in definition.states.values():
        for trigger in one.triggers.values():
            if not trigger.overlay:
                target = one.name if trigger.to in {PREVIOUS, SAME} else trigger.to
                lines.append(f"  s_{one.name} --> s_{target} : {_plain(_label(trigger, language))}")
        if one.final:
            lines.append(f"  s_{one.name} --> [*]")
    for name, (trigger, states) in _overlays(definition).items():
        places = ", ".join(one.title.text(language) for one in states)
        lines.append(f'  state "{_plain(says["anywhere"])}: {_plain(places)}" as o_{name}')
        target = f"o_{name}" if trigger.to in {PREVIOUS, SAME} else f"s_{trigger.to}"
        lines.append(f"  o_{name} --> {target} : {_plain(_label(trigger, language))}")
    if state in definition.states:
        lines += ["  classDef here fill:#ffe9a8,stroke:#8a5a00,stroke-width:3px", f"  class s_{state} here"]
    return "\n".join(lines) + "\n"


def svg(definition: Definition, *, state: str | None = None, language: str = "vi") -> str:
    """Return an SVG picture as text; `state` is highlighted.

    Shapes:
        returns: well-formed XML that refers to nothing outside; each card is a group whose `data-state`
            is the state's name, each row one whose `data-trigger` and `data-to` say what it is.
    """
    cards = _placed(definition, language)
    width = int(max(card.x for card in cards.values()) + _COLUMN + _LANE)
    height = int(max(card.y + card.height for card in cards.values()) + _PAD + _GAP)
    says = _SAYS["en" if language == "en" else "vi"]
    title = f"{definition.title.text(language)} ({definition.name}, {says['version']} {definition.version})"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" '
            f'role="img" font-family="sans-serif" font-size="12">'
        ),
        f"<title>{escape(title)}</title>",
        (
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#5b6b7b"/></marker></defs>'
        ),
        f'<rect width="{width}" height="{height}" fill="#f6f8fa"/>',
        f'<text x="{_GAP}" y="30" font-size="18" font-weight="bold" fill="#1c2733">{escape(title)}</text>',
        *_headings(definition, cards, language),
        *(line for card in cards.values() for line in _lines(card, cards)),
        *(line for card in cards.values() for line in _card(card, here=card.name == state)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Row:
    """One trigger on a card. `to` names the target card; `y` is its first line's, from the card's top."""

    trigger: str
    to: str
    text: tuple[str, ...]
    y: float
    overlay: bool


@dataclass(frozen=True, slots=True)
class _Card:
    name: str
    column: int
    x: float
    y: float
    height: float
    head: tuple[str, ...]
    note: tuple[str, ...]
    rows: tuple[_Row, ...]
    tint: str


def _plain(text: str) -> str:
    """Return a text as Mermaid takes it inside a label."""
    words = " ".join(text.split())
    for sign in '#;:"<>{}':
        words = words.replace(sign, f"\x00{ord(sign)}\x01")
    return words.replace("\x00", "#").replace("\x01", ";")


def _led(definition: Definition, trigger: Trigger, language: str) -> str:
    """Return the words of a row: what, where to, by whom."""
    target = definition.states.get(trigger.to)
    where = f" → {target.title.text(language)}" if target else ""
    what, opened, by = _label(trigger, language).partition(" (")
    return what + where + opened + by


def _label(trigger: Trigger, language: str) -> str:
    says = _SAYS["en" if language == "en" else "vi"]
    by = ", ".join(str(who) for who in trigger.by) or (
        says["auto"] if trigger.when is not None or not trigger.approvals else ""
    )
    goes = {PREVIOUS: says["back"], SAME: says["stay"]}.get(trigger.to, "")
    details = "; ".join(filter(None, (by, goes)))
    return trigger.title.text(language) + (f" ({details})" if details else "")


def _overlays(definition: Definition) -> dict[str, tuple[Trigger, list[State]]]:
    """Return overlay -> the trigger and the states that have it."""
    found: dict[str, tuple[Trigger, list[State]]] = {}
    for state in definition.states.values():
        for trigger in state.triggers.values():
            if trigger.overlay:
                found.setdefault(trigger.name, (trigger, []))[1].append(state)
    return found


def _wrapped(text: str, letters: int = _LETTERS) -> tuple[str, ...]:
    """Return the lines of a text; a single word that is longer than a line is cut."""
    lines: list[str] = []
    for word in text.split():
        pieces = [word[start : start + letters] for start in range(0, len(word), letters)]
        for piece in pieces:
            if lines and len(lines[-1]) + 1 + len(piece) <= letters:
                lines[-1] += " " + piece
            else:
                lines.append(piece)
    return tuple(lines)


def _made(
    name: str, column: int, y: float, head: str, note: str, triggers: list[tuple[str, str, str]], tint: str
) -> _Card:
    """Return a card at the top `y` of a column, as high as its words need."""
    title, small = _wrapped(head, _BOLD_LETTERS), _wrapped(note)
    down = _PAD + _LINE * (len(title) + len(small))
    rows: list[_Row] = []
    for trigger, to, label in triggers:
        down += 4
        text = _wrapped("▸ " + label)
        rows.append(_Row(trigger, to, text, down, overlay=name.startswith("$") and name != _START))
        down += _LINE * len(text)
    x = _GAP + column * (_COLUMN + _LANE)
    return _Card(name, column, x, y, down + _PAD, title, small, tuple(rows), tint)


def _placed(definition: Definition, language: str) -> dict[str, _Card]:
    """Return all cards: one column for each phase that has states, cards in the order of the file."""
    says = _SAYS["en" if language == "en" else "vi"]
    inhabited = {state.phase for state in definition.states.values()}
    used = [phase.name for phase in definition.phases if phase.name in inhabited]
    bottom: dict[int, float] = {}
    cards: dict[str, _Card] = {}

    def put(name: str, column: int, head: str, note: str, triggers: list[Trigger], tint: str) -> None:
        rows = [
            (one.name, name if one.to in {PREVIOUS, SAME} else one.to, _led(definition, one, language))
            for one in triggers
        ]
        card = _made(name, column, bottom.get(column, _TOP), head, note, rows, tint)
        cards[name] = card
        bottom[column] = card.y + card.height + _GAP

    start = definition.start
    put(_START, used.index(definition.states[start.to].phase), says["start"], "", [start], "#dfeaf7")
    for state in definition.states.values():
        own = [one for one in state.triggers.values() if not one.overlay]
        column, tint = used.index(state.phase), _TINTS[state.final]
        put(state.name, column, state.title.text(language), _note(state, language), own, tint)
    lowest = max(bottom.values())
    for number, (name, (trigger, states)) in enumerate(_overlays(definition).items()):
        column = number % len(used)
        bottom[column] = max(bottom.get(column, 0), lowest)
        places = f"{says['in']}: " + ", ".join(one.title.text(language) for one in states)
        put(f"${name}", column, says["anywhere"], places, [trigger], "#fff8e1")
    return cards


def _note(state: State, language: str) -> str:
    says = _SAYS["en" if language == "en" else "vi"]
    notes = [str(state.holder)] if state.holder else []
    for deadline in state.deadlines:
        rule = str(deadline.rule)
        amount, _, unit = rule.partition(" ")
        notes.append(
            f"{says['due']} {amount} {says[unit]}" if unit in {"d", "wd"} else f"{says['due']} {rule}"
        )
    return " · ".join(notes)


def _headings(definition: Definition, cards: dict[str, _Card], language: str) -> Iterator[str]:
    for phase in definition.phases:
        found = next((cards[one.name] for one in definition.states.values() if one.phase == phase.name), None)
        if found is not None:
            text = escape(phase.title.text(language))
            place = f'x="{found.x}" y="{_TOP - 18}" data-phase="{phase.name}"'
            yield f'<text {place} font-weight="bold" fill="#44546a">{text}</text>'


def _lines(card: _Card, cards: dict[str, _Card]) -> Iterator[str]:
    """Yield the line of each row to its target; they are drawn first, so the cards lie above them.

    Overlays get none: they hold for many states, and their rows say where they lead.
    """
    for number, row in enumerate(card.rows):
        target = cards[row.to]
        if row.overlay:
            continue
        y1, y2 = card.y + row.y + _LINE / 2, target.y + _PAD + _LINE / 2
        bend = 20 + 8 * (number % 6)
        if target.column > card.column:
            x1, x2 = card.x + _COLUMN, target.x
            path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
        elif target.column < card.column:
            x1, x2 = card.x, target.x + _COLUMN
            path = f"M{x1} {y1}C{x1 - bend} {y1} {x2 + bend} {y2 + 5} {x2} {y2 + 5}"
        else:
            x1 = x2 = card.x + _COLUMN
            path = f"M{x1} {y1}C{x1 + bend + 14} {y1} {x2 + bend + 14} {y2 - 5} {x2} {y2 - 5}"
        faint = 1 if abs(target.column - card.column) <= 1 else 0.45
        yield (
            f'<path d="{path}" fill="none" stroke="#8fa1b3" stroke-width="1.2" stroke-opacity="{faint}" '
            'marker-end="url(#tip)"/>'
        )


def _card(card: _Card, *, here: bool) -> Iterator[str]:
    stroke = 'stroke="#8a5a00" stroke-width="4"' if here else 'stroke="#b6c2ce"'
    fill = "#ffe9a8" if here else card.tint
    mark = ' data-here="yes"' if here else ""
    yield f'<g data-state="{card.name}"{mark}>'
    place = f'x="{card.x}" y="{card.y}" width="{_COLUMN}" height="{card.height}"'
    yield f'<rect {place} rx="6" fill="{fill}" {stroke}/>'
    y = card.y + _PAD + _LINE - 5
    for line in card.head:
        yield f'<text x="{card.x + _PAD}" y="{y}" font-weight="bold" fill="#1c2733">{escape(line)}</text>'
        y += _LINE
    for line in card.note:
        yield f'<text x="{card.x + _PAD}" y="{y}" font-size="11" fill="#5b6b7b">{escape(line)}</text>'
        y += _LINE
    for row in card.rows:
        yield f'<g data-trigger="{row.trigger}" data-to="{row.to}">'
        for number, line in enumerate(row.text):
            down = card.y + row.y + _LINE - 5 + number * _LINE
            yield f'<text x="{card.x + _PAD}" y="{down}" fill="#1c4e80">{escape(line)}</text>'
        yield "</g>"
    yield "</g>"
