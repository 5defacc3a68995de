from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import select

from engine import records, register_reading, schema
from engine.calendar_files import load_calendar
from engine.canonical import leaf
from engine.case_history import history
from engine.cases import fold
from engine.commands import Erase, Principal, Receipt, Register
from engine.engine import Engine, no_list
from engine.execute import execute
from engine.personal import owners
from engine.refusals import CommandIdReused
from engine.registers import RegisterRefused
from engine.registry import Definitions
from engine.rules import RuleBook
from handlers.opening import closed_list
from tests.integration.small_world import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATOR = Principal("operator", "0" * 32)
CALENDARS = Path(__file__).parents[2] / "workflows" / "calendars"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    store = schema.create(tmp_path / "tiendo.db", kind="sample", clock=Clock())
    yield Engine(store, Definitions(store), RuleBook.of(()), load_calendar(CALENDARS))
    store.close()


def write(engine: Engine, kind: str, key: str = "", by: Principal = OPERATOR, /, **values: Any) -> Receipt:
    return execute(engine, Register(principal=by, register=kind, key=key, values=values))


def seat(bound: str, role: str) -> dict[str, str]:
    return {"bound": bound, "role": role, "from": "2026-01-01"}


def log_of(engine: Engine, subject: str) -> list[str]:
    log = records.transition_log
    with engine.store.read() as connection:
        query = select(log.c.entry).where(log.c.subject == subject).order_by(log.c.seq)
        return list(connection.execute(query).scalars())


def test_each_change_of_a_row_is_an_entry_of_its_chain_and_folds_to_the_row(engine: Engine) -> None:
    # given a person with two seats, one taken away again, another phone number, one value erased
    write(engine, "organisation", code="d", name="Sở Công Thương", kind="department")
    made = write(
        engine, "person", code="p", name="An", phone="0901234567", **{"membership.1": seat("d", "head")}
    )
    write(engine, "person", made.subject, **{"membership.1": None, "membership.2": seat("d", "officer")})
    write(engine, "person", "p", phone="0907654321")
    last = execute(
        engine, Erase(principal=OPERATOR, subject_kind="person", subject=made.subject, word="phone")
    )
    # when
    texts = log_of(engine, made.subject)
    entries = [orjson.loads(text) for text in texts]
    words, misfits = fold(entries)
    with engine.store.begin() as tx:
        row = register_reading.row_by_key(tx, "person", "p")
    # then
    assert row is not None
    assert (misfits, words) == ([], row.projection())
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4] == list(range(1, row.seq + 1))
    assert [entry["previous"] for entry in entries] == ["", *(leaf(text.encode()) for text in texts[:-1])]
    assert last.head == row.head == leaf(texts[-1].encode())
    assert "0901234567" not in "".join(texts)


def test_writing_the_same_again_gets_a_receipt_and_no_entry(engine: Engine) -> None:
    first = write(engine, "organisation", code="d", name="Sở", kind="department")
    again = write(engine, "organisation", "d", name="Sở", kind="department")
    assert (again.seq, again.head) == (first.seq, first.head)
    assert len(log_of(engine, first.subject)) == 1


def test_a_budget_line_written_twice_is_one_row_with_two_entries(engine: Engine) -> None:
    line = {"programme": "national_project", "plan_year": 2026, "scope": "soc_trang"}
    first = write(engine, "budget_line", **line, amount_vnd=5_000_000_000)
    second = write(engine, "budget_line", **line, amount_vnd=5_000_000_001)
    assert (second.subject, second.code, second.seq) == (first.subject, "national_project/2026/soc_trang", 2)


def test_a_refused_row_leaves_no_trace_but_the_refusal(engine: Engine) -> None:
    # given an officer who is no administrator
    write(engine, "organisation", code="d", name="Sở", kind="department")
    officer = write(engine, "person", code="p", name="An", **{"membership.1": seat("d", "officer")}).subject
    # when they bind somebody to the office of the head
    values = {"membership.1": seat("d", "head")}
    with pytest.raises(RegisterRefused) as refused:
        write(engine, "person", "", Principal("person", officer), code="q", name="Bình", **values)
    # then
    assert [item.code for item in refused.value.unmet] == ["register_not_permitted"]
    with engine.store.begin() as tx:
        assert tx.run("SELECT count(*) FROM register_row WHERE kind = 'person'") == [(1,)]
        assert tx.run("SELECT context FROM personal_value ORDER BY context") == [
            ("person.name",),
            ("receipt",),
        ]
        assert tx.run("SELECT code FROM refusal") == [("register_refused",)]


def test_an_administrator_of_the_day_writes_and_of_yesterday_does_not(engine: Engine) -> None:
    # given
    write(engine, "organisation", code="d", name="Sở", kind="department")
    write(engine, "organisation", code="c", name="Trung tâm", kind="centre", parent="d")
    past = {**seat("d", "administrator"), "to": "2026-11-21"}
    today = {**past, "to": "2026-11-22"}
    former = write(engine, "person", code="f", name="An", **{"membership.1": past}).subject
    present = write(engine, "person", code="p", name="Bình", **{"membership.1": today}).subject
    # then
    with pytest.raises(RegisterRefused):
        write(engine, "organisation", "c", Principal("person", former), name="Trung tâm mới")
    assert write(engine, "organisation", "c", Principal("person", present), name="Trung tâm mới").seq == 2


def test_after_erase_no_file_holds_the_value_and_the_look_up_of_others_still_works(engine: Engine) -> None:
    # given two establishments
    gone = write(engine, "establishment", code="a", name="Hộ Lâm Thị Mỹ", province="x", tax_code="2200111222")
    kept = write(
        engine, "establishment", code="b", name="Hộ Trần Văn Tám", province="x", tax_code="2200333444"
    )
    folder = Path(engine.store.path).parent
    # when
    for word in ("name", "tax_code"):
        execute(
            engine, Erase(principal=OPERATOR, subject_kind="establishment", subject=gone.subject, word=word)
        )
    with closing(sqlite3.connect(engine.store.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # then
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert "Lâm Thị Mỹ".encode() not in content
    assert b"2200111222" not in content
    assert "Trần Văn Tám".encode() in content
    with engine.store.begin() as tx:
        assert tx.run("SELECT subject FROM match_key") == [(kept.subject,)]
    with engine.store.read() as connection:
        read = history(connection, gone.subject, kind="establishment")
    assert {change.word: change.after for change in read[0].changes}["name"] == "đã xoá theo yêu cầu"


def test_one_word_erased_leaves_the_key_of_the_other(engine: Engine) -> None:
    made = write(engine, "establishment", code="a", name="Hộ Lâm", province="x", tax_code="2200111222")
    execute(
        engine, Erase(principal=OPERATOR, subject_kind="establishment", subject=made.subject, word="name")
    )
    write(engine, "establishment", "a", sector="rice")
    with engine.store.begin() as tx:
        secret = register_reading.secret(tx)
        assert owners(tx, secret, "establishment.tax_code", "2200 111 222") == [made.subject]


def test_an_erased_number_is_not_found_by_trying_commands_against_their_receipts(engine: Engine) -> None:
    # given a person whose number is erased, and all that the command said beside it
    number, values = "0901230042", {"code": "p", "name": "An"}
    write(engine, "person", **values, phone=number)
    row = write(engine, "person", "p", language="en").subject
    execute(engine, Erase(principal=OPERATOR, subject_kind="person", subject=row, word="phone"))
    # when every number of the block is tried against what the store kept of the commands
    with engine.store.begin() as tx:
        kept = {body for (body,) in tx.run("SELECT body FROM receipt")}
    tried = {
        Register(
            principal=OPERATOR, register="person", values={**values, "phone": f"090123{n:04d}"}
        ).body_hash()
        for n in range(10_000)
    }
    # then none is found
    assert len(tried) == 10_000
    assert not tried & kept


def test_a_repeat_with_personal_values_is_still_told_from_another_command(engine: Engine) -> None:
    # given a command with a name
    first = Register(principal=OPERATOR, register="person", values={"code": "p", "name": "An"})
    receipt = execute(engine, first)
    # when it is repeated, and when its id comes with another name
    again = execute(engine, first)
    other = Register(principal=OPERATOR, id=first.id, register="person", values={"code": "p", "name": "Bình"})
    # then
    assert again.repeated
    assert (again.subject, again.seq, again.head) == (receipt.subject, receipt.seq, receipt.head)
    with pytest.raises(CommandIdReused):
        execute(engine, other)


def test_a_province_that_there_is_not_is_refused_with_the_nearest(engine: Engine) -> None:
    # given the shipped list of provinces
    engine.lists = closed_list
    said = {"code": "xx", "name": "Thử", "kind": "centre"}

    # when an organisation names one that there is not
    with pytest.raises(RegisterRefused) as caught:
        write(engine, "organisation", **said, province="cao_bag")

    # then it is told which one may be meant, in both languages, and with that one it is written
    (one,) = caught.value.facts["unmet"]
    assert one.code == "word_unlisted"
    assert "“cao_bang”?" in one.words.vi
    assert '"cao_bang"?' in one.words.en
    write(engine, "organisation", **said, province="cao_bang")
    # and where no list is kept any word is taken
    engine.lists = no_list
    assert write(engine, "organisation", **{**said, "code": "yy"}, province="nowhere").seq == 1
