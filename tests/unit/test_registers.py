from __future__ import annotations

import pickle
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cases import fold
from engine.commands import Principal, Register
from engine.errors import Refused
from engine.personal import is_commitment, verify
from engine.register_checks import check_row
from engine.register_words import REGISTERS
from engine.registers import (
    RegisterDraft,
    RegisterRefused,
    RegisterRow,
    RegisterUnknown,
    Writer,
    check_erase,
    draft,
)
from engine.store import Seat
from tests.properties import tries

OPERATOR = Principal("operator", "9" * 32)
CENTRE = RegisterRow(
    "organisation", "c" * 32, "st_centre", {"name": "Trung tâm", "kind": "centre", "parent": "d" * 32}
)
DEPARTMENT = RegisterRow("organisation", "d" * 32, "st_department", {"name": "Sở", "kind": "department"})
HOA = RegisterRow("person", "a" * 32, "st_officer_1", {})
WHOLE_PERSON = {"code": "p1", "name": "Nguyễn Văn An", "email": "an@example.vn", "phone": "0901 234 567"}


def rows(*found: RegisterRow) -> dict[str, RegisterRow]:
    return {f"{row.kind}:{key}": row for row in found for key in (row.id, row.code)}


def writer(principal: Principal = OPERATOR, **more: Any) -> Writer:
    found = {
        "rows": rows(CENTRE, DEPARTMENT, HOA),
        "above": {CENTRE.id: (CENTRE.id, DEPARTMENT.id), DEPARTMENT.id: (DEPARTMENT.id,)},
    }
    return Writer(principal, "2026-11-22", "secret", **{**found, **more})


def write(
    kind: str, row: RegisterRow | None = None, by: Writer | None = None, /, **values: Any
) -> RegisterDraft:
    by = by or writer()
    command = Register(principal=by.principal, register=kind, values=values)
    return draft(kind, row, command, by)


def codes(refused: pytest.ExceptionInfo[RegisterRefused]) -> list[str]:
    return [item.code for item in refused.value.unmet]


def opened(drafted: RegisterDraft) -> dict[str, Any]:
    return {opening.commitment: orjson.loads(opening.value) for opening in drafted.openings}


def test_a_person_holds_commitments_in_place_of_name_and_address() -> None:
    # when
    drafted = write("person", **WHOLE_PERSON)
    # then
    assert drafted.is_new
    assert drafted.row.version == 1
    assert {word for word, value in drafted.row.data.items() if is_commitment(value)} == {
        "name",
        "email",
        "phone",
    }
    assert {opening.context for opening in drafted.openings} == {
        "person.name",
        "person.email",
        "person.phone",
    }
    assert all(verify(opening) and opening.subject == drafted.row.id for opening in drafted.openings)
    assert "nguyen" not in drafted.row.sort_text


def test_changes_fold_to_the_row() -> None:
    # given a row and a change of it
    first = write("person", **WHOLE_PERSON)
    by = writer(opened=opened(first))
    second = write("person", first.row, by, email=None, language="en")
    # when
    words, misfits = fold([{"seq": n, "changes": one.changes} for n, one in enumerate((first, second), 1)])
    # then
    assert misfits == []
    assert words == second.row.projection()
    assert "email" not in words


def test_writing_the_same_again_changes_nothing() -> None:
    # given
    first = write("person", **WHOLE_PERSON)
    # when
    again = write("person", first.row, writer(opened=opened(first)), **WHOLE_PERSON)
    # then
    assert dict(again.changes) == {}
    assert again.openings == ()
    assert again.row.version == first.row.version


def test_a_membership_may_be_given_by_code_and_is_kept_by_id() -> None:
    # when
    drafted = write(
        "person",
        **WHOLE_PERSON,
        **{"membership.1": {"bound": "st_centre", "role": "officer", "from": "2026-01-01"}},
    )
    # then
    assert drafted.row.data["membership.1"] == {"bound": CENTRE.id, "role": "officer", "from": "2026-01-01"}
    assert drafted.projections == (
        ("membership", (drafted.row.id, "membership.1", CENTRE.id, "officer", "2026-01-01", None)),
    )


def test_a_tax_code_is_found_again_by_its_keyed_hash_only() -> None:
    # when
    drafted = write("establishment", code="e1", name="Cơ sở Hoa", province="soc_trang", tax_code="2200123456")
    # then
    [(table, (word, keyed, subject))] = drafted.projections
    assert (table, word, subject) == ("match_key", "establishment.tax_code", drafted.row.id)
    assert "2200123456" not in keyed


def test_an_erased_tax_code_gets_no_key_again_when_something_else_changes() -> None:
    # given a row whose values were all erased
    first = write("establishment", code="e1", name="Cơ sở Hoa", province="soc_trang", tax_code="2200123456")
    # when
    second = write("establishment", first.row, writer(opened={}), sector="rice")
    # then
    assert second.projections == ()
    assert set(second.changes) == {"sector"}


def test_a_budget_line_has_the_code_of_its_lock() -> None:
    drafted = write(
        "budget_line",
        programme="national_project",
        plan_year=2026,
        scope="soc_trang",
        amount_vnd=5_000_000_000,
    )
    assert drafted.row.code == "national_project/2026/soc_trang"


def test_an_organisation_is_sorted_by_its_name() -> None:
    drafted = write("organisation", code="x", name="Đội thanh tra", kind="other")
    assert drafted.row.sort_text.startswith("doi thanh tra\x1f")


def bound(**parts: Any) -> dict[str, Any]:
    return {"membership.1": {"bound": "st_centre", "role": "officer", "from": "2026-01-01", **parts}}


@pytest.mark.parametrize(
    ("values", "code", "place"),
    [
        ({"emial": "an@example.vn"}, "word_unknown", "emial"),
        ({"membership": {"bound": "st_centre"}}, "word_unknown", "membership"),
        ({"membership.x": {}}, "word_unknown", "membership.x"),
        ({"email": "an(at)example.vn"}, "word_wrong", "email"),
        ({"phone": "call me"}, "word_wrong", "phone"),
        ({"name": 7}, "word_wrong", "name"),
        ({"name": " "}, "word_wrong", "name"),
        ({"language": "fr"}, "word_wrong", "language"),
        ({"membership.1": "st_centre"}, "word_wrong", "membership.1"),
        (bound(bound="nowhere"), "reference_unknown", "membership.1.bound"),
        (bound(**{"from": "2026-02-30"}), "word_wrong", "membership.1.from"),
        (bound(**{"from": "20260201"}), "word_wrong", "membership.1.from"),
        (bound(**{"from": None}), "word_missing", "membership.1.from"),
        (bound(til="2026-02-01"), "word_unknown", "membership.1.til"),
        (bound(**{"from": "2026-05-01", "to": "2026-04-30"}), "period_backwards", "membership.1"),
    ],
)
def test_a_wrong_value_of_a_person_is_named(values: dict[str, Any], code: str, place: str) -> None:
    # when
    with pytest.raises(RegisterRefused) as refused:
        write("person", **{**WHOLE_PERSON, **values})
    # then
    assert [(item.code, item.place) for item in refused.value.unmet] == [(code, f"word:{place}")]


@pytest.mark.parametrize("amount", [-1, 10**15 + 1, 10**20, 1.5, True, "5"])
def test_money_that_is_no_sum_of_dong_is_refused(amount: object) -> None:
    with pytest.raises(RegisterRefused) as refused:
        write("budget_line", programme="p", plan_year=2026, scope="s", amount_vnd=amount)
    assert "word:amount_vnd" in [item.place for item in refused.value.unmet]


def test_everything_wrong_is_named_at_once_with_a_suggestion() -> None:
    # when
    with pytest.raises(RegisterRefused) as refused:
        write("organisation", code="x", nmae="Sở", kind="departement", to="2026-13-01")
    # then
    assert codes(refused) == ["word_unknown", "word_wrong", "word_wrong", "word_missing"]
    assert "“name”" in refused.value.sentence("vi")
    assert refused.value.sentence("en") == str(pickle.loads(pickle.dumps(refused.value)))  # noqa: S301 - our own


def test_an_unknown_register_gets_a_suggestion() -> None:
    with pytest.raises(RegisterUnknown) as refused:
        write("organization", name="Sở")
    assert refused.value.facts["suggestion"] == "organisation"


def test_two_substitutes_on_one_day_are_refused() -> None:
    # given
    first = {"substitute": HOA.id, "from": "2026-11-01", "to": "2026-11-30"}
    # when
    with pytest.raises(RegisterRefused) as refused:
        write(
            "person",
            **WHOLE_PERSON,
            **{"substitution.1": first, "substitution.2": {**first, "from": "2026-11-30", "to": None}},
        )
    # then
    assert codes(refused) == ["period_overlaps"]
    follow_on = {
        "substitution.1": first,
        "substitution.2": {**first, "from": "2026-12-01", "to": "2026-12-31"},
    }
    assert len(write("person", **WHOLE_PERSON, **follow_on).projections) == 2


def test_a_code_is_given_once_for_good() -> None:
    with pytest.raises(RegisterRefused) as changed:
        write("organisation", CENTRE, code="other")
    with pytest.raises(RegisterRefused) as taken:
        write("organisation", code="st_centre", name="Khác", kind="centre")
    with pytest.raises(RegisterRefused) as missing:
        write("organisation", name="Khác", kind="centre")
    assert (codes(changed), codes(taken), codes(missing)) == (
        ["code_fixed"],
        ["code_taken"],
        ["code_missing"],
    )


def test_a_key_that_nobody_has_is_refused() -> None:
    # given
    values = {"code": "n", "name": "Khác", "kind": "centre"}
    command = Register(principal=OPERATOR, register="organisation", key="st_centrum", values=values)
    # when
    with pytest.raises(RegisterRefused) as refused:
        draft("organisation", None, command, writer())
    # then
    assert codes(refused) == ["row_unknown"]


def person(role: str, bound: RegisterRow, who: str = "7" * 32, **more: Any) -> Writer:
    return writer(Principal("person", who), seats=(Seat(who, bound.id, role),), **more)


BOUND_TO_CENTRE = {
    "membership.1": {"bound": "st_centre", "role": "director", "from": "2026-11-22", "to": "2026-11-22"}
}


def test_an_administrator_above_may_bind_a_person() -> None:
    assert write(
        "person", None, person("administrator", DEPARTMENT), **WHOLE_PERSON, **BOUND_TO_CENTRE
    ).is_new


@pytest.mark.parametrize(
    "by",
    [
        person("officer", DEPARTMENT),
        person("director", CENTRE),
        person("administrator", RegisterRow("organisation", "e" * 32)),
        writer(Principal("person", "7" * 32)),
        writer(Principal("timer", "timer", "timer")),
        writer(Principal("system", "system", "system")),
    ],
)
def test_nobody_else_binds_a_person(by: Writer) -> None:
    with pytest.raises(RegisterRefused) as refused:
        write("person", None, by, **WHOLE_PERSON, **BOUND_TO_CENTRE)
    assert codes(refused) == ["register_not_permitted"]


def test_an_administrator_of_the_centre_binds_nobody_to_the_department() -> None:
    values = {"membership.1": {"bound": "st_department", "role": "head", "from": "2026-01-01"}}
    with pytest.raises(RegisterRefused) as refused:
        write("person", None, person("administrator", CENTRE), **WHOLE_PERSON, **values)
    assert codes(refused) == ["register_not_permitted"]


def test_make_me_approver_for_a_minute_is_refused_even_to_an_administrator() -> None:
    # given an administrator's own row
    me = RegisterRow("person", "7" * 32, "me", {"name": "x"}, 1)
    by = person("administrator", DEPARTMENT, opened={}, rows=rows(CENTRE, DEPARTMENT, HOA, me))
    # when the own membership is written, or the own substitution for somebody else
    with pytest.raises(RegisterRefused) as own:
        write("person", me, by, **BOUND_TO_CENTRE)
    with pytest.raises(RegisterRefused) as standing_in:
        write("person", HOA, by, name="Hoa", **{"substitution.1": {"substitute": "me", "from": "2026-11-22"}})
    # then
    assert codes(own) == codes(standing_in) == ["register_not_permitted"]


def test_everybody_keeps_the_own_address() -> None:
    me = RegisterRow("person", "7" * 32, "me", {"name": "x", "language": "vi"}, 1)
    drafted = write("person", me, person("officer", CENTRE), language="en", phone="0901234567")
    assert set(drafted.changes) == {"language", "phone"}


def test_whoever_sets_an_empty_store_up_registers_the_first_person() -> None:
    by = writer(Principal("person", "7" * 32), empty=True)
    assert write("person", None, by, **WHOLE_PERSON, **BOUND_TO_CENTRE).is_new
    with pytest.raises(RegisterRefused):
        write("budget_line", None, by, programme="p", plan_year=2026, scope="s", amount_vnd=1)


def test_a_new_parent_must_be_ones_own_to_give_and_to_get() -> None:
    # given an administrator of the centre only
    other = RegisterRow("organisation", "e" * 32, "other", {"name": "Khác", "kind": "other"})
    by = person("administrator", CENTRE, rows=rows(CENTRE, DEPARTMENT, other))
    # when the centre is moved below somebody else, or below nobody
    for parent in ("other", None):
        with pytest.raises(RegisterRefused):
            write("organisation", CENTRE, by, parent=parent)
    # then the administrator above may do it
    assert write("organisation", CENTRE, person("administrator", DEPARTMENT), parent=None).changes


def test_an_officer_writes_the_establishments_of_the_own_province_only() -> None:
    # given
    by = person("officer", CENTRE, provinces={CENTRE.id: frozenset({"soc_trang"})})
    shop = {"code": "e1", "name": "Cơ sở Hoa"}
    # then
    assert write("establishment", None, by, **shop, province="soc_trang").is_new
    with pytest.raises(RegisterRefused):
        write("establishment", None, by, **shop, province="ca_mau")
    auditor = person("auditor", CENTRE, provinces={CENTRE.id: frozenset({"soc_trang"})})
    with pytest.raises(RegisterRefused):
        write("establishment", None, auditor, **shop, province="soc_trang")


def test_only_an_administrator_at_the_top_publishes() -> None:
    values = {"name": "advance", "version": 1, "hash": "0" * 64}
    assert write("definition", None, person("administrator", DEPARTMENT), **values).row.code == "advance"
    with pytest.raises(RegisterRefused):
        write("definition", None, person("administrator", CENTRE), **values)


def test_only_personal_words_are_erased() -> None:
    row = write("person", **WHOLE_PERSON).row
    assert check_erase(row, "phone", writer()) == "person.phone"
    with pytest.raises(RegisterRefused) as refused:
        check_erase(row, "language", writer())
    assert codes(refused) == ["not_personal"]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=3),
)


@tries(20)
@given(st.sampled_from(sorted(REGISTERS)), st.data())
def test_no_value_whatever_makes_the_checks_fall_over(kind: str, data: st.DataObject) -> None:
    # given any values under known and unknown words
    words = st.one_of(
        st.sampled_from([*REGISTERS[kind], "membership.1", "substitution.1", "code"]), st.text(max_size=8)
    )
    values = data.draw(st.dictionaries(words, VALUES, max_size=5))
    # when
    command = Register(principal=OPERATOR, register=kind, values=values)
    try:
        checked = check_row(kind, None, command, writer())
    except Refused:
        return
    # then what was taken is of the declared types
    if not checked.unmet:
        assert draft(kind, None, command, writer()).row.projection()["code"] == checked.code
