"""Codes on screens: every code of the registers has words in both languages; deadlines are told by state and count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.register_words import LEGAL_FORMS, ORGANISATION_KINDS, REGISTERS
from handlers import code_words
from tests.workflows import sample_store

if TYPE_CHECKING:
    from engine.definition import Definition


@pytest.fixture(scope="module")
def project() -> Definition:
    found, _ = sample_store.shipped(sample_store.rules())
    return found.demand().definitions["national_project"]


def test_every_kind_and_legal_form_has_words() -> None:
    assert set(code_words.ORGANISATIONS) == set(ORGANISATION_KINDS)
    assert set(code_words.LEGAL_FORMS) == set(LEGAL_FORMS)


def test_every_word_that_people_enter_in_a_register_has_a_title() -> None:
    entered = {
        word
        for kind in ("person", "organisation", "establishment", "budget_line")
        for word in REGISTERS[kind]
    }

    assert entered <= set(code_words.REGISTER_WORDS)


def test_a_province_is_called_by_its_name_and_an_unknown_one_stays() -> None:
    assert code_words.province("soc_trang") == "Sóc Trăng"
    assert code_words.province("nowhere") == "nowhere"


def test_a_state_with_one_deadline_names_it_and_one_with_several_says_how_each_is_counted(
    project: Definition,
) -> None:
    assert code_words.deadline(project, "partly_accepted", "completion", "vi") == "Nghiệm thu một phần"
    found = code_words.deadline(project, "accepted", "settlement_file", "vi")
    assert found.startswith("Đã nghiệm thu cơ sở (15 ngày từ ")
    assert "5 working days" in code_words.deadline(project, "accepted", "claim", "en")


def test_no_deadline_of_the_shipped_definition_is_shown_by_its_name(project: Definition) -> None:
    for state in project.states.values():
        for each in state.deadlines:
            said = code_words.deadline(project, state.name, each.name, "vi")
            assert each.name not in said
            assert "_" not in said
