"""A store in which many national projects wait for the minister, made by commands alone; copied for every run."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from config.settings import Settings
from engine import schema
from engine.commands import Document, Fire, Principal, Register, Start
from engine.errors import TiendoError
from engine.execute import execute_all
from handlers import build, publishing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from engine.commands import Command, Receipt
    from engine.engine import Engine
    from engine.sqlite_store import SqliteStore

OPERATOR = Principal("operator", "bench", "cli")
PROVINCES = ("soc_trang", "ca_mau", "vinh_long", "cao_bang", "an_giang")
#: All of today, for stores in which many decide at the same time, each on a budget line of its own.
ALL_PROVINCES = (
    "an_giang", "bac_ninh", "ca_mau", "can_tho", "cao_bang", "da_nang", "dak_lak", "dien_bien", "dong_nai", "dong_thap",
    "gia_lai", "ha_noi", "ha_tinh", "hai_phong", "ho_chi_minh", "hue", "hung_yen", "khanh_hoa", "lai_chau", "lam_dong",
    "lang_son", "lao_cai", "nghe_an", "ninh_binh", "phu_tho", "quang_ngai", "quang_ninh", "quang_tri", "son_la", "tay_ninh",
    "thai_nguyen", "thanh_hoa", "tuyen_quang", "vinh_long",
)  # fmt: skip
PLAN_YEAR = 2027
#: The people of a province and of the centre: role of a party -> everything is invented.
LOCAL = ("centre.officer", "centre.head", "department.clerk", "department.appraiser", "department.head")
CENTRAL = ("agency.officer", "agency.head", "ministry.minister")
KINDS = {"centre": "centre", "department": "department", "agency": "agency", "ministry": "ministry"}
_TOGETHER = 100
#: Monday, 2 November 2026, 08:00 in Hà Nội: wherever and whenever this is run, the calendars know the year.
_BEGIN = int(datetime(2026, 11, 2, 1, tzinfo=UTC).timestamp() * 1_000_000)


class Clock:
    """Runs on from one fixed Monday, and can be moved on."""

    def __init__(self) -> None:
        self._zero = time.monotonic_ns()
        self._moved = 0

    def __call__(self) -> int:
        return _BEGIN + self._moved + (time.monotonic_ns() - self._zero) // 1000

    def move_to(self, at: int) -> None:
        self._moved += max(0, at - self())


@dataclass(frozen=True, slots=True)
class World:
    """A prepared store, closed.

    Shapes:
        path: the file; runs work on copies. cases: ids of those before the minister, in the order approved.
        minister: id of the person who approves.
    """

    path: Path
    cases: tuple[str, ...]
    minister: str

    def copy(self, name: str) -> Path:
        """Return a fresh copy of the store; an earlier one of the same name is overwritten."""
        there = self.path.with_name(f"{name}.db")
        for tail in ("-wal", "-shm"):
            there.with_name(there.name + tail).unlink(missing_ok=True)
        shutil.copyfile(self.path, there)
        return there

    def approvals(self) -> list[Fire]:
        """Return the command that approves each case, with the decision that the minister signs."""
        return [approval(case, number, self.minister) for number, case in enumerate(self.cases)]


def approval(case: str, number: int, minister: str) -> Fire:
    """Return the command that approves one case."""
    return Fire(
        principal=Principal("person", minister, "cli"), id=f"approve-{number:08}", case=case, trigger="approve",
        values={"approved_on": "2026-11-02"}, documents=(_paper("approval_decision", number),),
    )  # fmt: skip


def settings(path: Path | str) -> Settings:
    """Return settings that name a store by its file or its URL; notices go out by one channel."""
    url = path if isinstance(path, str) else f"sqlite:///{path}"
    return Settings(database_url=url, channels=("console",))


def open_engine(path: Path, clock: Clock | None = None) -> Engine:
    """Return an engine on a store file, as the serving process makes it."""
    return build.make_engine(settings(path), schema.open_store(path, clock=clock or Clock()))


def prepare(folder: Path, cases: int) -> World:
    """Make the store: registers, the definition, and `cases` projects carried to the minister."""
    path = folder / "prepared.db"
    store: SqliteStore = schema.create(path, kind="sample", clock=Clock())
    engine = build.make_engine(settings(path), store)
    ids, people = furnish(engine, settings(path), cases, PROVINCES)
    store.close()
    return World(path, tuple(ids), people["ministry.minister"])


def furnish(
    engine: Engine, given: Settings, cases: int, provinces: tuple[str, ...]
) -> tuple[list[str], dict[str, str]]:
    """Fill an empty store; return the cases, which come from the provinces in turn, and who sits where.

    Shapes:
        people: "province/party.role", or "party.role" of the centre -> id of the person.
    """
    publishing.publish_all(given, engine, OPERATOR)
    people, parties = _registers(engine, provinces)
    ids = _carry(engine, people, parties, cases)
    # What was promised on the way here counts as done: a run looks only at what it promises itself.
    with engine.store.begin() as tx:
        tx.run("UPDATE outbox SET state = 'done', attempts = 1")
    return ids, people


def send(engine: Engine, commands: Iterable[Command]) -> list[Receipt]:
    """Send commands, many in one transaction; the first refusal ends the run."""
    waiting, receipts = list(commands), []
    for start in range(0, len(waiting), _TOGETHER):
        for answer in execute_all(engine, waiting[start : start + _TOGETHER]):
            if isinstance(answer, TiendoError):
                raise answer
            receipts.append(answer)
    return receipts


def _registers(
    engine: Engine, provinces: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return "province/party.role" (or "party.role" of the centre) -> person, and province -> party -> id."""
    people: dict[str, str] = {}
    central = {party: _organisation(engine, party, party) for party in ("agency", "ministry")}
    for seat in CENTRAL:
        people[seat] = _person(engine, seat.replace(".", "-"), central, seat)
    parties: dict[str, dict[str, str]] = {}
    for province in provinces:
        mark = province.replace("_", "-")
        own = {party: _organisation(engine, f"{mark}-{party}", party) for party in ("centre", "department")}
        for seat in LOCAL:
            people[f"{province}/{seat}"] = _person(engine, f"{mark}-{seat.replace('.', '-')}", own, seat)
        parties[province] = {**central, **own}
        line = {"programme": "national", "plan_year": PLAN_YEAR, "scope": province, "amount_vnd": 10**14}
        _register(engine, "budget_line", line)
    return people, parties


def _register(engine: Engine, kind: str, values: dict[str, Any]) -> str:
    return send(engine, [Register(principal=OPERATOR, register=kind, values=values)])[0].subject


def _organisation(engine: Engine, code: str, party: str) -> str:
    return _register(engine, "organisation", {"code": code, "name": f"Mẫu {code}", "kind": KINDS[party]})


def _person(engine: Engine, code: str, organisations: dict[str, str], seat: str) -> str:
    party, _, role = seat.partition(".")
    seat_held = {"bound": organisations[party], "role": role, "from": "2020-01-01"}
    values = {
        "code": code,
        "name": f"Mẫu {code}",
        "language": "vi",
        "invented": True,
        "membership.1": seat_held,
    }
    return _register(engine, "person", values)


def _carry(
    engine: Engine, people: dict[str, str], parties: dict[str, dict[str, str]], cases: int
) -> list[str]:
    """Open the cases and take each step on all of them, up to the minister; return their ids."""
    provinces = list(parties)
    where = [provinces[number % len(provinces)] for number in range(cases)]
    shops = send(
        engine,
        (
            Register(
                principal=OPERATOR, register="establishment",
                values={"code": f"cs-{n}", "name": f"Cơ sở mẫu {n}", "province": where[n], "invented": True},
            )
            for n in range(cases)
        ),
    )  # fmt: skip
    opened = send(engine, (_start(people, parties, where[n], shops[n].subject, n) for n in range(cases)))
    ids = [receipt.subject for receipt in opened]
    for seat, trigger, values, papers in _way(engine):
        send(
            engine,
            (
                Fire(
                    principal=Principal("person", people.get(f"{where[n]}/{seat}") or people[seat]),
                    case=ids[n], trigger=trigger, values=values,
                    documents=tuple(_paper(name, n) for name in papers),
                )
                for n in range(cases)
            ),
        )  # fmt: skip
    return ids


def _start(
    people: dict[str, str], parties: dict[str, dict[str, str]], province: str, shop: str, number: int
) -> Start:
    values = {
        "title": f"Hỗ trợ ứng dụng máy móc thiết bị tiên tiến trong sản xuất, cơ sở {number:05}",
        "programme": "national", "activity": "machinery", "project_kind": "single", "province": province,
        "establishments": 1, "contents": 1, "support_vnd": 300_000_000, "counterpart_vnd": 450_000_000,
        "eligible_cost_vnd": 700_000_000, "survey_on": "2026-02-16",
        "commune_name": "xã Mẫu",
    }  # fmt: skip
    return Start(
        principal=Principal("person", people[f"{province}/centre.officer"]), definition="national_project",
        parties={**parties[province], "beneficiary": shop}, values=values, plan_year=PLAN_YEAR,
    )  # fmt: skip


def _way(engine: Engine) -> list[tuple[str, str, dict[str, Any], tuple[str, ...]]]:
    """Return the steps from the survey to the minister: who, trigger, values, papers as the rule packs ask."""

    def ruled(key: str) -> tuple[str, ...]:
        book, day = engine.rules, datetime(2026, 11, 2, tzinfo=UTC).date()
        asked = {"activity": "machinery", "programme": "national", "project_kind": "single"}
        value: Any = book.resolve(key, {name: asked.get(name) for name in book.asks(key)}, day).value
        return tuple(value)

    draft = (
        *ruled("base_appraisal_documents"),
        *ruled("annex_documents"),
        "counterpart_commitment",
        "no_other_support_commitment",
    )
    file = tuple(
        n
        for n in ruled("ministry_file_documents")
        if n not in {"registration_report", "base_appraisal_sheet"}
    )
    return [
        ("centre.officer", "register", {}, ("survey_record", *ruled("registration_documents"))),
        ("department.head", "report_registration", {}, ("registration_report",)),
        ("centre.head", "submit", {}, draft),
        ("department.clerk", "accept_file", {}, ()),
        ("department.appraiser", "pass_base", {}, ("base_appraisal_sheet",)),
        ("department.head", "send_to_agency", {}, (*file, "sending_letter")),
        ("agency.officer", "take_up", {}, ()),
        ("agency.head", "propose_plan", {}, ruled("minister_documents")),
    ]


def _paper(name: str, number: int) -> Document:
    return Document(name, f"{number:05}/MAU", "2026-11-02", "Người ký mẫu", title="Số liệu mẫu")
