from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine import queries
from engine.case_history import history
from engine.case_rows import Filter
from engine.personal import commit_value, erase
from engine.queries import CaseNotFound
from engine.store import Writing
from engine.visibility import look_as
from tests.integration.small_world import NOW, TODAY, case, logged, new_store, organisation, person, register

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def centre(store: Store) -> str:
    return organisation(store, "st_centre", name="Trung tâm Khuyến công Sóc Trăng")


@pytest.fixture
def officer(store: Store, centre: str) -> str:
    return person(store, "officer", (centre, "officer"))


def ask(store: Store, who: str, question: Any, /, *given: Any, today: str = TODAY, **named: Any) -> Any:
    with store.read() as connection:
        return question(connection, look_as(connection, who, today), *given, **named)


def codes(rows: Any) -> list[str]:
    return [row.code for row in rows]


def test_a_case_is_found_by_code_id_and_beginning_of_an_id(store: Store, centre: str, officer: str) -> None:
    # given
    made = case(store, "ST-2026-QG-01", {"centre": centre}, amount_vnd=300_000_000)
    # when
    found = [
        ask(store, officer, queries.find_case, key) for key in ("ST-2026-QG-01", made["id"], made["id"][:16])
    ]
    # then
    assert [row.id for row in found] == [made["id"]] * 3
    assert found[0].amount_vnd == 300_000_000
    assert found[0].holder_name == "Trung tâm Khuyến công Sóc Trăng"


def test_an_ambiguous_beginning_finds_nothing(store: Store, centre: str, officer: str) -> None:
    first = case(store, "ST-2026-QG-01", {"centre": centre})["id"]
    case(store, "ST-2026-QG-02", {"centre": centre}, id=first[:20] + "0" * 12)
    with pytest.raises(CaseNotFound):
        ask(store, officer, queries.find_case, first[:20])


def test_what_one_may_not_see_is_answered_like_what_does_not_exist(
    store: Store, centre: str, officer: str
) -> None:
    # given one's own case and a foreign one
    case(store, "ST-2026-QG-01", {"centre": centre})
    case(store, "CM-2026-QG-01", {"centre": organisation(store, "cm")})
    # when
    answers = []
    for key in ("CM-2026-QG-01", "CM-2026-QG-77"):
        with pytest.raises(CaseNotFound) as refused:
            ask(store, officer, queries.find_case, key)
        answers.append({**refused.value.facts, "case": ""})
    # then
    assert answers[0] == answers[1]
    assert "CM-" not in answers[0]["suggestion_vi"]


def test_a_mistyped_code_gets_the_nearest_visible_one(store: Store, centre: str, officer: str) -> None:
    case(store, "ST-2026-QG-01", {"centre": centre})
    with pytest.raises(CaseNotFound) as refused:
        ask(store, officer, queries.find_case, "st-2026-qg-O1")
    assert 'Did you mean "ST-2026-QG-01"?' in refused.value.sentence("en")


def test_the_inbox_sorts_by_what_is_due(store: Store, centre: str, officer: str) -> None:
    # given a Wednesday, and cases held by the officer's seat, the officer, a colleague, others, nobody
    today, colleague = "2026-11-18", person(store, "colleague", (centre, "officer"))
    department = organisation(store, "d", "department")
    dues: dict[str, str | None] = {
        "late": "2026-11-17",
        "now": today,
        "sunday": "2026-11-22",
        "monday": "2026-11-23",
        "never": None,
    }
    for code, due_on in dues.items():
        case(store, code, {"centre": centre}, due_on=due_on)
    case(store, "mine", {"centre": centre}, due_on="2026-11-20", holder_person=officer)
    case(store, "theirs", {"centre": centre}, holder_person=colleague)
    held: dict[str, Any] = {"holder": "department.appraiser", "holder_organisation": department}
    case(store, "away", {"centre": centre, "department": department}, **held)
    case(
        store,
        "done",
        {"centre": centre},
        final="accepted",
        holder=None,
        holder_organisation=None,
        due_on="2026-01-01",
    )
    case(store, "foreign", {"department": department}, **held)
    # when
    found = ask(store, officer, queries.inbox, today=today)
    # then
    assert codes(found.overdue) == ["late"]
    assert codes(found.today) == ["now"]
    assert codes(found.this_week) == ["mine", "sunday"]
    assert codes(found.later) == ["monday", "never"]
    assert sorted(codes(found.waiting)) == ["away", "theirs"]
    assert found.waiting_total == 2


def test_a_role_that_only_ends_alike_does_not_hold_the_case(store: Store, centre: str) -> None:
    case(store, "A-1", {"centre": centre}, holder="centre.chief_officer")
    found = ask(store, person(store, "p", (centre, "officer")), queries.inbox)
    assert (found.later, codes(found.waiting)) == ((), ["A-1"])
    case(store, "A-2", {"centre": centre}, holder="centre.headXofficer")
    found = ask(store, person(store, "q", (centre, "head_officer")), queries.inbox)
    assert found.later == ()


def test_the_substitute_finds_the_absent_ones_cases_in_the_inbox(
    store: Store, centre: str, officer: str
) -> None:
    case(store, "A-1", {"centre": centre}, holder_person=officer)
    substitute = person(store, "s")
    register(
        store, "person", officer, **{"substitution.1": {"substitute": substitute, "from": TODAY, "to": TODAY}}
    )
    assert codes(ask(store, substitute, queries.inbox).later) == ["A-1"]


def test_a_case_that_a_person_is_party_of_is_held_by_that_person(store: Store) -> None:
    who = person(store, "p")
    case(store, "N-1", {"requester": who}, holder="requester", holder_organisation=who)
    found = ask(store, who, queries.inbox)
    assert codes(found.later) == ["N-1"]
    assert found.later[0].holder_name == "Người p"


def test_the_board_counts_cases_money_and_late_ones(store: Store, centre: str, officer: str) -> None:
    # given
    case(store, "A-1", {"centre": centre}, amount_vnd=300_000_000, due_on="2026-11-21")
    case(store, "A-2", {"centre": centre}, amount_vnd=200_000_001, due_on=TODAY)
    case(store, "A-3", {"centre": centre}, phase="approval")
    case(store, "A-4", {"centre": centre}, plan_year=2025)
    case(store, "B-1", {"centre": organisation(store, "x")}, amount_vnd=1)
    # when
    cells = ask(store, officer, queries.board, 2026)
    # then
    assert [(cell.phase, cell.cases, cell.amount_vnd, cell.late) for cell in cells] == [
        ("approval", 1, 0, 0),
        ("survey", 2, 500_000_001, 1),
    ]
    assert ask(store, officer, queries.counts) == {
        "open": 4,
        "late": 1,
        "accepted": 0,
        "refused": 0,
        "stopped": 0,
    }


def test_a_list_is_narrowed_sorted_and_paged(store: Store, centre: str, officer: str) -> None:
    # given
    titles = ["Đầu tư máy sấy lúa", "Dây chuyền bánh pía", "An toàn điện", "Máy ép dầu 100%"]
    for number, title in enumerate(titles, 1):
        case(
            store,
            f"A-{number}",
            {"centre": centre},
            title=title,
            amount_vnd=number * 100,
            category=f"k{number % 2}",
        )
    # when / then
    by_title = ask(store, officer, queries.listing, sort="title")
    assert [row.title for row in by_title.rows] == [titles[2], titles[0], titles[1], titles[3]]
    assert codes(ask(store, officer, queries.listing, Filter(words="MAY say")).rows) == ["A-1"]
    assert codes(ask(store, officer, queries.listing, Filter(words="đau")).rows) == ["A-1", "A-4"]
    assert codes(ask(store, officer, queries.listing, Filter(words="%")).rows) == ["A-4"]
    assert codes(ask(store, officer, queries.listing, Filter(words="a-3")).rows) == ["A-3"]
    assert codes(ask(store, officer, queries.listing, Filter(category="k1")).rows) == ["A-1", "A-3"]
    assert codes(ask(store, officer, queries.listing, Filter(amount_from=200, amount_to=300)).rows) == [
        "A-2",
        "A-3",
    ]
    page = ask(store, officer, queries.listing, sort="amount_vnd", descending=True, limit=2, offset=1)
    assert (codes(page.rows), page.total) == (["A-3", "A-2"], 4)


def test_lists_by_end_party_and_family(store: Store, centre: str, officer: str) -> None:
    # given
    shop = register(store, "establishment", code="e", name="Cơ sở Hoa", province="soc_trang").id
    root = case(store, "A-1", {"centre": centre, "beneficiary": shop})
    case(store, "A-1/TU1", {"centre": centre}, root)
    case(store, "A-2", {"centre": centre}, final="stopped", holder=None, due_on="2020-01-01")
    # then
    assert codes(ask(store, officer, queries.listing, Filter(bound=shop)).rows) == ["A-1", "A-1/TU1"]
    assert codes(ask(store, officer, queries.listing, Filter(open=False)).rows) == ["A-2"]
    assert codes(ask(store, officer, queries.listing, Filter(late=True)).rows) == []
    assert codes(ask(store, officer, queries.listing, Filter(depth=0, open=True)).rows) == ["A-1"]
    assert codes(ask(store, officer, queries.children, root["id"])) == ["A-1/TU1"]


def test_what_is_due_comes_earliest_first(store: Store, centre: str, officer: str) -> None:
    for code, day in {"A-1": "2026-12-01", "A-2": "2026-11-25", "A-3": "2026-12-31"}.items():
        case(store, code, {"centre": centre}, due_on=day)
    found = ask(store, officer, queries.due, "2026-12-01")
    assert codes(found) == ["A-2", "A-1"]
    assert [row.days_left(TODAY) for row in found] == [3, 9]


def test_notices_are_ones_own_newest_first(store: Store, centre: str, officer: str) -> None:
    # given
    made = case(store, "A-1", {"centre": centre})
    for number, (who, read_at) in enumerate([(officer, None), (officer, 5), ("f" * 32, None)]):
        with store.begin() as tx:
            tx.run(
                "INSERT INTO notice (id, case_id, seq, word, person, facts, created_at, read_at)"
                " VALUES (:id, :case_id, 1, 'deadline_near', :person, '{\"days\": 2}', :at, :read_at)",
                {
                    "id": f"{number:032}",
                    "case_id": made["id"],
                    "person": who,
                    "at": number,
                    "read_at": read_at,
                },
            )
    # then
    found = ask(store, officer, queries.notices)
    assert [(row.created_at, row.code, row.facts) for row in found] == [
        (1, "A-1", {"days": 2}),
        (0, "A-1", {"days": 2}),
    ]
    assert [row.created_at for row in ask(store, officer, queries.notices, unread_only=True)] == [0]


def test_history_opens_names_and_values_and_tells_what_was_erased(
    store: Store, centre: str, officer: str
) -> None:
    # given an entry with a reason and a personal value, of which one is erased later
    made = case(store, "A-1", {"centre": centre})
    reason, opens_reason = commit_value("case.reason", made["id"], "Thiếu báo giá")
    owner, opens_owner = commit_value("case.owner", made["id"], "Trần Thị Bích")
    with store.begin() as tx:
        tx.record(Writing(openings=[opens_reason, opens_owner]))
    who = {
        "kind": "person",
        "person": officer,
        "seat": "centre.officer",
        "organisation": centre,
        "on_behalf_of": "",
        "via": "web",
    }
    changes = {"data.owner": [None, owner], "party.centre": [None, centre], "data.secret": [None, "x"]}
    logged(store, made["id"], 1, NOW, principal=who, reason=reason, changes=changes, happened_on="2023-05-04")
    logged(store, made["id"], 2, NOW + 1, principal={**who, "kind": "timer", "person": "timer"})
    # when
    with store.read() as connection:
        before = history(connection, made["id"], hidden={"data.secret"})
    with store.begin() as tx:
        assert erase(tx, made["id"], "case.owner", tx.now) == 1
    with store.read() as connection:
        after = history(connection, made["id"])
        english = history(connection, made["id"], language="en")
    # then
    first = before[0]
    assert (first.who, first.organisation) == ("Người officer", "Trung tâm Khuyến công Sóc Trăng")
    assert (first.reason, first.happened_on) == ("Thiếu báo giá", "2023-05-04")
    assert [(one.word, one.after) for one in first.changes] == [
        ("data.owner", "Trần Thị Bích"),
        ("party.centre", "Trung tâm Khuyến công Sóc Trăng"),
    ]
    assert (before[1].who, before[1].seq) == ("hẹn giờ", 2)
    assert after[0].changes[0].after == "đã xoá theo yêu cầu"
    assert english[0].changes[0].after == "erased on request"


def test_an_erased_person_stays_in_lists_without_a_name(store: Store, centre: str, officer: str) -> None:
    case(store, "A-1", {"centre": centre}, holder_person=officer)
    with store.begin() as tx:
        erase(tx, officer, "person.name", tx.now)
    assert ask(store, officer, queries.find_case, "A-1").holder_name == "đã xoá theo yêu cầu"
