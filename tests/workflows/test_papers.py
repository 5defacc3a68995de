"""One paper has one name: a definition calls it what the list of papers calls it, with the same form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import workflows
from engine.yaml_text import plain, read
from tests.workflows.sample_store import rules, shipped

if TYPE_CHECKING:
    from engine.definition import Definition

KHUYEN_CONG = workflows.FOLDER / "khuyen_cong"
STRENGTH = ("proposed", "inferred", "secondary", "read")


@pytest.fixture(scope="module")
def papers() -> dict[str, Any]:
    path = KHUYEN_CONG / "rules" / "documents.yaml"
    found: dict[str, Any] = plain(read(path.read_bytes(), name=path.name))["documents"]
    return found


@pytest.fixture(scope="module")
def definitions() -> list[Definition]:
    names = [path.stem for path in KHUYEN_CONG.glob("*.yaml") if path.name != "notices.yaml"]
    found = shipped(rules())[0].demand().definitions
    return [found[name] for name in names]


def test_a_paper_bears_the_same_title_and_form_in_every_definition_and_in_the_list(
    definitions: list[Definition], papers: dict[str, Any]
) -> None:
    differing = []
    seen = 0
    for definition in definitions:
        for name, field in definition.fields.items():
            if field.type != "document":
                continue
            seen += 1
            listed = papers.get(name)
            said = (field.title.vi, field.title.en, field.form or "")
            if listed is None:
                differing.append((definition.name, name, "not in the list"))
            elif said != (listed["title"]["vi"], listed["title"]["en"], listed.get("form", "")):
                differing.append((definition.name, name, str(said)))
    assert seen > 100
    assert differing == []


def test_no_definition_claims_a_paper_to_be_better_known_than_the_list_does(
    definitions: list[Definition], papers: dict[str, Any]
) -> None:
    for definition in definitions:
        for name, field in definition.fields.items():
            if field.type == "document":
                said = field.source.grade if field.source else "proposed"
                assert STRENGTH.index(said) <= STRENGTH.index(papers[name]["grade"]), (definition.name, name)


def test_local_money_cites_the_national_circular_by_analogy_only(definitions: list[Definition]) -> None:
    # given the local project, whose process each province sets itself
    local = next(one for one in definitions if one.name == "local_project")
    # when it leans on a form or step of TT 36/2013, which speaks of national money
    sources = [field.source for field in local.fields.values()]
    for state in local.states.values():
        sources += [one.source for one in state.deadlines]
        for trigger in state.triggers.values():
            sources += [trigger.source, *(one.source for one in trigger.require)]
    national = [one for one in sources if one is not None and one.act == "TT 36/2013/TT-BCT"]
    # then it says that it was inferred
    assert national
    assert {one.grade for one in national} == {"inferred"}
