"""What is known while a file is loaded: its places, its names, what else exists, what was found wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import expressions
from engine.definition import HOLDER, Citation, Who
from engine.errors import Words, did_you_mean
from engine.expressions import OPEN, ExpressionRefused, Names
from engine.findings import Finding
from engine.guards import GUARDS, Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.expression_types import Shape
    from engine.expressions import Expression
    from engine.findings import Marks

#: Type of a field -> type of its value in expressions; documents have none.
VALUE_TYPES: Mapping[str, str] = {
    "text": "text", "integer": "integer", "money": "integer", "percent": "integer", "date": "date",
    "yes_no": "yes_no", "choice": "text", "establishment": "text", "organisation": "text", "person": "text",
}  # fmt: skip
#: A case's only deadline bears this name.
DUE = "due"

KINDS: Mapping[str, Words] = {
    "state": Words("trạng thái", "state"),
    "trigger": Words("bước", "trigger"),
    "field": Words("trường", "field"),
    "document": Words("giấy tờ", "document"),
    "party": Words("bên", "party"),
    "role": Words("vai trò", "role"),
    "phase": Words("giai đoạn", "phase"),
    "guard": Words("điều kiện đặt tên", "guard"),
    "notice": Words("thông báo", "notice"),
    "definition": Words("quy trình", "definition"),
    "deadline": Words("hạn", "deadline"),
    "rule": Words("quy định", "rule"),
    "argument": Words("tham số", "argument"),
}


@dataclass(frozen=True, slots=True)
class Outline:
    """What other definitions may know of one: its names, without looking inside.

    Shapes:
        fields: field -> type of its value; documents are apart. triggers: of all states, overlays included.
        starts: child definition -> fields that its opening fills.
        asked_of_children: child definition -> triggers fired on it when this case pauses, goes on or stops.
        choices: field of type choice -> its words. parties: names of those who take part.
    """

    name: str
    fields: Shape = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    parents: tuple[str, ...] = ()
    starts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    asked_of_children: Mapping[str, frozenset[str]] = field(default_factory=dict)
    children: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Papers:
    """The papers that one row of a rule pack asks for, and of whom.

    Shapes:
        when: dimension -> the words it may be. names: kinds of paper. pack: name of the pack.
    """

    when: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    pack: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What exists beside the file that is loaded. What is None is not known yet and is not checked.

    Shapes:
        definitions: name -> outline. rules: key of a rule pack -> type of its value.
        guards: name -> guard. notices: words of the notices.
        papers: key of a rule pack that lists papers -> its rows.
        published: whether the file was published once, and therefore found right.
    """

    definitions: Mapping[str, Outline] | None = None
    rules: Shape | None = None
    guards: Mapping[str, Guard] = field(default_factory=lambda: GUARDS)
    notices: frozenset[str] | None = None
    papers: Mapping[str, tuple[Papers, ...]] | None = None
    published: bool = False


@dataclass(slots=True)
class Loading:
    """One load. `path` is always the keys that lead to a part of the file."""

    data: dict[str, Any]
    text: str
    marks: Marks
    known: Known
    outline: Outline
    findings: list[Finding] = field(default_factory=list)
    read_paths: set[str] = field(default_factory=set)
    guard_reads: set[str] = field(default_factory=set)
    rule_keys: dict[str, None] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        documents = frozenset(self.outline.documents)
        self.names = Names(self.outline.fields, self._parent(), self._children(), documents, self.known.rules)

    def _parent(self) -> Shape | None:
        """Return what can be read of a parent whichever of the declared ones it is."""
        parents = self.outline.parents
        if not parents:
            return None
        others = self.known.definitions
        if others is None or any(name not in others for name in parents):
            return OPEN
        first, *rest = (others[name].fields for name in parents)
        return {word: kind for word, kind in first.items() if all(one.get(word) == kind for one in rest)}

    def _children(self) -> Mapping[str, Shape]:
        others = self.known.definitions or {}
        return {name: others[name].fields if name in others else OPEN for name in self.outline.children}

    def add(self, code: str, words: Words, path: tuple[str | int, ...], suggestion: str = "") -> None:
        """Note a finding at the value that `path` leads to."""
        line, column = self.marks.value_place(*path)
        self.findings.append(Finding(self.marks.file, line, column, code, words, suggestion))

    def add_key(self, code: str, words: Words, path: tuple[str | int, ...], suggestion: str = "") -> None:
        """Note a finding at the key that `path` leads to."""
        line, column = self.marks.place(*path)
        self.findings.append(Finding(self.marks.file, line, column, code, words, suggestion))

    def refers(self, kind: str, word: str, known: Iterable[str] | None, path: tuple[str | int, ...]) -> bool:
        """Say whether `word` is one of `known` (None: not known yet); note a finding when it is not."""
        if known is None or word in known:
            return True
        names = list(known)
        near = did_you_mean(word, names)
        title = KINDS[kind]
        listed = ", ".join(names[:12]) or "–"
        words = Words(
            f"Không có {title.vi} “{word}”." + ("" if near else f" Có: {listed}."),
            f"There is no {title.en} “{word}”." + ("" if near else f" Known: {listed}."),
        )
        is_key = isinstance(path[-1], str) and path[-1].partition(".")[0] == word.partition(".")[0]
        (self.add_key if is_key else self.add)(f"unknown_{kind}", words, path, near)
        return False

    def who(self, text: str, path: tuple[str | int, ...]) -> Who:
        """Return a role of a party; a finding when the file does not declare it."""
        party, _, role = text.partition(".")
        if text == HOLDER:
            return Who(HOLDER)
        parties = self.data["parties"]
        if self.refers("party", party, parties, path):
            roles = parties[party].get("roles") or {}
            if role or roles:
                self.refers("role", text, [f"{party}.{name}" for name in roles] or [party], path)
        return Who(party, role)

    def people(self, given: Any, path: tuple[str | int, ...]) -> tuple[Who, ...]:
        """Return one role or a list of roles."""
        if isinstance(given, str):
            return (self.who(given, path),)
        return tuple(self.who(one, (*path, index)) for index, one in enumerate(given or ()))

    def source(self, given: Any, path: tuple[str | int, ...]) -> Citation | None:
        """Return a citation: of the file, of a rule pack, or a proposal."""
        if given is None:
            return None
        if isinstance(given, dict):
            return Citation(given["act"], given.get("article", ""), given["grade"])
        if given == "proposed":
            return Citation()
        return Citation(rule=self.rule(given, path))

    def rule(self, given: str, path: tuple[str | int, ...]) -> str:
        """Return the key of `rules.key`, and remember that it is asked for."""
        key = given.removeprefix("rules.")
        self.refers("rule", key, self.known.rules, path)
        self.rule_keys[key] = None
        return key

    def expression(self, given: Any, path: tuple[str | int, ...], wanted: str = "") -> Expression | None:
        """Return a compiled expression; None and a finding when it is not one, or answers another type.

        Shapes:
            given: text, or a bare number or yes/no. wanted: type of the answer, or "" for any.
        """
        text = str(given).lower() if isinstance(given, bool) else str(given)
        try:
            found = expressions.compile(text, names=self.names, published=self.known.published)
        except ExpressionRefused as why:
            facts = why.facts
            line, column = self._inside(path, facts["column"])
            words = Words(f"Biểu thức “{facts['text']}”: {facts['problem_vi']}",
                          f"Expression “{facts['text']}”: {facts['problem_en']}")  # fmt: skip
            self.findings.append(
                Finding(self.marks.file, line, column, facts["why"], words, facts["suggestion"])
            )
            return None
        if wanted and found.kind not in {wanted, "any"} and not (found.kind == "null" and wanted != "yes_no"):
            words = Words(
                f"Biểu thức “{text}” cho kiểu {found.kind}, ở đây cần {wanted}.",
                f"Expression “{text}” answers {found.kind}; {wanted} is needed here.",
            )
            self.add("type_mismatch", words, path)
        self.read_paths.update(found.paths)
        for one in found.paths:
            if one.startswith("rules."):
                self.rule_keys[one.removeprefix("rules.")] = None
        return found

    def _inside(self, path: tuple[str | int, ...], column: int) -> tuple[int, int]:
        return self.marks.place_inside(path, column, self.text)


def outline_of(data: Mapping[str, Any]) -> Outline:
    """Return the outline of a file's plain data; what is not as it should be is left out, never refused."""
    fields = {name: one.get("type") for name, one in _maps(data.get("fields"))}
    states = dict(_maps(data.get("states")))
    overlays = dict(_maps(data.get("overlays")))
    triggers = {name for one in states.values() for name, _ in _maps(one.get("triggers"))} | set(overlays)
    starts: dict[str, set[str]] = {}
    start = data.get("start")
    places = [start, *states.values(), *overlays.values()]
    places += [one for state in states.values() for _, one in _maps(state.get("triggers"))]
    for place in places:
        for one in _listed(place.get("starts")) if isinstance(place, dict) else ():
            if isinstance(one, dict) and isinstance(one.get("definition"), str):
                given = (
                    {name for name, _ in one.get("values", {}).items()}
                    if isinstance(one.get("values"), dict)
                    else set()
                )
                starts.setdefault(one["definition"], set()).update(given, _listed(one.get("period_field")))
    children = dict(_maps(data.get("children")))
    return Outline(
        name=str(data.get("definition", "")),
        fields={
            name: VALUE_TYPES[kind]
            for name, kind in fields.items()
            if isinstance(kind, str) and kind in VALUE_TYPES
        },
        documents=frozenset(name for name, kind in fields.items() if kind == "document"),
        states=frozenset(states),
        triggers=frozenset(
            triggers | ({str(start["trigger"])} if isinstance(start, dict) and "trigger" in start else set())
        ),
        parents=tuple(str(one) for one in _listed(data.get("parent"))),
        starts={name: frozenset(map(str, words)) for name, words in starts.items()},
        asked_of_children={
            name: frozenset(map(str, one["when_parent"].values()))
            for name, one in children.items()
            if isinstance(one.get("when_parent"), dict)
        },
        children=frozenset(children),
        choices={
            name: tuple(word for word, _ in _maps(one.get("choices")))
            for name, one in _maps(data.get("fields"))
            if one.get("type") == "choice"
        },
        parties=frozenset(name for name, _ in _maps(data.get("parties"))),
    )


def _maps(value: Any) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield the entries of a map whose values are maps."""
    if isinstance(value, dict):
        for name, one in value.items():
            if isinstance(one, dict):
                yield name, one


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
