from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from engine import canonical, personal, register_reading
from engine.personal import commit_value, context_of
from tests.integration.small_world import case, new_store, organisation, register

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = "2200987654"
NAME = "Hộ kinh doanh Lâm Thị Mỹ Duyên"


def holds(folder: Path, words: list[str]) -> list[str]:
    """Return which of the words stand in any file of the folder."""
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    return [word for word in words if word.encode() in content]


def checkpoint(path: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def test_after_erasing_the_bytes_are_in_no_file(tmp_path: Path) -> None:
    # given an establishment among others
    store = new_store(tmp_path)
    for number in range(200):
        register(store, "establishment", code=f"o{number}", name=f"Cơ sở {number}", province="ca_mau")
    row = register(store, "establishment", code="e1", name=NAME, province="ca_mau", tax_code=NUMBER)
    with store.begin() as tx:
        secret = register_reading.secret(tx)
        assert personal.owners(tx, secret, "establishment.tax_code", NUMBER) == [row.id]
    keyed = personal.match_hmac(secret, "establishment.tax_code", NUMBER)
    assert holds(tmp_path, [NAME, NUMBER, keyed]) == [NAME, NUMBER, keyed]
    # when name and number are erased and the file is checkpointed
    with store.begin() as tx:
        for word in ("name", "tax_code"):
            assert personal.erase(tx, row.id, context_of("establishment", word), tx.now) == 1
    checkpoint(store.path)
    # then nothing of them is left, and the row with its commitments is
    assert holds(tmp_path, [NAME, NUMBER, keyed]) == []
    with store.begin() as tx:
        assert personal.owners(tx, secret, "establishment.tax_code", NUMBER) == []
        kept = tx.run(
            "SELECT erased_at, salt FROM personal_value WHERE subject = :subject", {"subject": row.id}
        )
    assert kept == [(store.now(), None), (store.now(), None)]
    store.close()
    assert holds(tmp_path, [NAME, NUMBER, keyed]) == []


def test_erasing_reaches_the_values_of_before_too(tmp_path: Path) -> None:
    # given a number that was corrected once
    store = new_store(tmp_path)
    row = register(store, "person", code="p", name="An", phone="0901111111")
    register(store, "person", row.id, phone="0902222222")
    # when
    with store.begin() as tx:
        erased = personal.erase(tx, row.id, "person.phone", tx.now)
        again = personal.erase(tx, row.id, "person.phone", tx.now)
        left = personal.open_values(tx, row.id)
    store.close()
    # then
    assert (erased, again) == (2, 0)
    assert list(left.values()) == ["An"]


def test_erasing_an_address_reaches_the_deliveries_that_went_there(tmp_path: Path) -> None:
    # given a delivery to the address of one person and one to another's
    store = new_store(tmp_path)
    centre = organisation(store, "c")
    made = case(store, "A-1", {"centre": centre})
    row = register(store, "person", code="p", name="An", email="an.le@example.vn")
    with store.begin() as tx:
        for number, address in enumerate(["an.le@example.vn", "binh@example.vn"]):
            values = {"id": f"{number:032}", "case_id": made["id"], "person": row.id, "address": address}
            tx.run(
                "INSERT INTO notice (id, case_id, seq, word, person, facts, created_at)"
                " VALUES (:id, :case_id, 1, 'w', :person, '{}', 1)",
                values,
            )
            tx.run(
                "INSERT INTO delivery (notice, person, channel, address, message_id, delivered_at)"
                " VALUES (:id, :person, 'email', :address, 'm', 1)",
                values,
            )
    # when
    with store.begin() as tx:
        personal.erase(tx, row.id, "person.email", tx.now)
        left = tx.run("SELECT address FROM delivery ORDER BY notice")
    store.close()
    # then the fact that something went out stays
    assert left == [("",), ("binh@example.vn",)]
    assert holds(tmp_path, ["an.le@example.vn"]) == []


def test_a_million_phone_numbers_find_none_without_the_salt() -> None:
    # given the commitment of a number that is among those tried
    context = context_of("person", "phone")
    commitment, opening = commit_value(context, "0" * 32, "0900424242")
    digest = commitment.removeprefix("sha256:")
    prefix = hashlib.sha256(b"tiendo/1\x00" + context.encode() + b"\x00")
    # when everything is tried that an attacker without the salt can write down
    found = 0
    for number in range(1_000_000):
        tried = prefix.copy()
        tried.update(b'"0900%06d"' % number)
        found += tried.hexdigest() == digest
    # then none fits, while the salt shows it at once
    assert found == 0
    assert canonical.commit(context, "0900424242", opening.salt)[0] == commitment
