"""A session that uses every command and many ways to fail, with values that must not stand in the technical log.

Run as a process of its own by test_canaries.py, which reads what it wrote to standard error. The words of the command line
are those that a person types; faults are planted where the product meets the world: a channel, the clock's pass, a query.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
import time
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from config import logs
from config.settings import read_settings
from engine import queries, timers
from handlers import build, cli, opening

if TYPE_CHECKING:
    from handlers.channels import Message

#: What must not be found: secrets, and what belongs to people.
CANARIES = {
    "name": "Bùi Thị Chim Vàng",
    "other_name": "Đoàn Chim Sẻ",
    "mail": "chim.vang@so.example.vn",
    "refused_mail": "chim.se@so.example.vn",
    "phone": "0987 654 321",
    "tax_code": "0311223344",
    "reason": "con ốm nặng phải vào viện",
    "comment": "nhờ anh xem giúp chuyện riêng",
    "smtp_password": "canary-of-smtp",
    "database_password": "canary-of-database",
    "bell_password": "canary-of-bell",
    "typed": "ba trăm triệu chẵn",
    "file": "Giấy khám bệnh Chim Vàng.pdf",
}
_C = CANARIES
_SET_UP = (
    (
        0,
        f'init --sample --organisation "SCT=Sở Công Thương" --kind department --person "an={_C["other_name"]}"',
    ),
    (0, "publish leave_request --as an"),
    (
        0,
        f'person set vang "name={_C["name"]}" email={_C["mail"]} "phone={_C["phone"]}" --member SCT:manager:01/01/2020 --as an',
    ),
    (
        0,
        f'person set se "name={_C["other_name"]} B" email={_C["refused_mail"]} --member SCT:director:01/01/2020 --as an',
    ),
    (
        0,
        f'establishment set cs-1 "name=Cơ sở {_C["name"]}" province=soc_trang tax_code={_C["tax_code"]} --as an',
    ),
    (0, "start leave_request --party requester=se --party office=SCT --json --as se"),
    (
        0,
        f'edit FIRST --set "reason_text={_C["reason"]}" --set first_day=23/11/2026 --set last_day=24/11/2026 --as se',
    ),
    (0, "fire FIRST submit --as se"),
    (0, f'comment FIRST "{_C["comment"]}" --as vang'),
    (0, f'fire FIRST send_back --reason "{_C["reason"]}" --as vang'),
    (0, "fire FIRST submit --as se"),
    (0, f'fire FIRST reject --reason "{_C["reason"]}" --as vang'),
    (0, "start leave_request --party requester=vang --party office=SCT --json --as vang"),
    (
        0,
        f'edit SECOND --set "reason_text={_C["reason"]}" --set first_day=23/11/2026 --set last_day=24/11/2026 --as vang',
    ),
    (0, "fire SECOND submit --as vang"),
    (0, "fire SECOND approve --as se"),
)
_MORE = (
    (0, "start leave_request --party requester=vang --party office=SCT --json --as vang"),
    (
        0,
        f'edit THIRD --set "reason_text={_C["reason"]}" --set first_day=23/11/2026 --set last_day=24/11/2026 --as vang',
    ),
    (0, "fire THIRD submit --as vang"),
    (0, f'fire THIRD reject --reason "{_C["reason"]}" --as se'),
)
_LOOKS = (
    "show FIRST --as vang", "show FIRST --all --as se --json", "history FIRST --as vang", "list --as vang", "board --as vang",
    f'list "{_C["name"]}" --as vang', "inbox --as vang", "inbox --as se", "due --as vang", "due FIRST --explain --as vang",
    "agenda --as vang", "person show vang --as an", "person list --as an", "organisation list", "establishment show cs-1",
    "definitions", "diagram leave_request", "calendar", "calendar 2026-11-22", "rules", "report seeds", "stuck", "audit fsck",
    "schema", "doctor", "metrics", "cases move --definition leave_request --to 1", "validate", "budget list",
)  # fmt: skip
_WRONG = (
    "show NP-9 --as vang", f'show "{_C["name"]}" --as vang', f'inbox --as "{_C["name"]} X"', "fire FIRST aprove --as vang",
    f'edit FIRST --set "reason_text={_C["reason"]}" --as an', f'edit FIRST --set "first_day={_C["typed"]}" --as vang',
    f'edit SECOND --set "reasn={_C["reason"]}" --as vang',
    f'attach SECOND paper --number 1 --signed-on 01/01/2026 --signer "{_C["name"]}" --as vang',
    f'attach SECOND paper --number 1 --signed-on 01/01/2026 --signer "{_C["name"]}" --file "{_C["file"]}" --as vang',
    f'detach SECOND paper 1 --reason "{_C["reason"]}" --as vang', f'assign SECOND "{_C["name"]}" --as vang',
    f'vote SECOND approve yes --reason "{_C["reason"]}" --as vang', f'vote SECOND approve "{_C["typed"]}" --as vang',
    f'comment NP-9 "{_C["comment"]}" --as vang', f'person set vang "phone={_C["typed"]}" "nam={_C["name"]}" --as an',
    f'establishment set cs-2 "name={_C["name"]}" tax_code={_C["tax_code"]} province=nowhere --as an',
    "retry 0123456789abcdef", "publish nothing --as an", "init --sample", "worker", f'nonsense "{_C["typed"]}"',
    f'list --nonsense "{_C["typed"]}"', f'person set se "name={_C["name"]}" --lang fr --as an',
)  # fmt: skip
_ELSEWHERE = (
    (
        {"TIENDO_DATABASE_URL": f"postgresql://tiendo_app:{_C['database_password']}@127.0.0.1:1/x"},
        "list --as vang",
    ),
    ({"TIENDO_DATABASE_URL": f"postgresql://tiendo_app:{_C['database_password']}@127.0.0.1:1/x"}, "doctor"),
    ({"TIENDO_REDIS_URL": f"redis://tiendo:{_C['bell_password']}@127.0.0.1:1/0"}, "up"),
    ({"TIENDO_REDIS_URL": f"redis://tiendo:{_C['bell_password']}@127.0.0.1:1/0"}, "doctor"),
    ({"TIENDO_REDIS_URL": f"rdis://tiendo:{_C['bell_password']}@127.0.0.1:1/0"}, "list"),
    ({"TIENDO_DATABASE_URL": f"{_C['database_password']}"}, "list"),
)


class BreakingChannel:
    """A channel with a bug: it breaks with the message in its hands."""

    name = "email"
    policy: Literal["resend", "park"] = "resend"
    address_word = "email"

    def send(self, message: Message) -> None:
        raise ValueError(f"can't send to {message.name} <{message.address}>: {message.text}")


#: Words that stand for the codes of the requests, and what they became.
CODES: dict[str, str] = {}


def typed(line: str) -> int:
    """Run one command as typed; what it answers goes to nobody, but the code of what it started is kept."""
    said = io.StringIO()
    for word, code in CODES.items():
        line = line.replace(word, code)
    with redirect_stdout(said):
        ended = cli.run(shlex.split(line))
    if line.startswith("start ") and not ended:
        CODES[("FIRST", "SECOND", "THIRD")[len(CODES)]] = json.loads(said.getvalue())["code"]
    return ended


def break_down(*_args: Any, **_more: Any) -> Any:
    """Break as a bug does, with values of people in the text of the error and in local variables."""
    at_hand = {"who": _C["name"], "why": _C["reason"]}
    raise KeyError(at_hand["who"], at_hand)


def serve(*, broken_channel: bool = False) -> None:
    """Serve the store of the settings until nothing is due any more, or for two seconds with a channel that breaks."""
    settings = read_settings()
    logs.set_up(settings.log_format, settings.log_level)
    store = opening.open_store(settings)
    app = build.make_app(settings, opening.make_engine(settings, store))
    if broken_channel:
        app = replace(app, channels={"email": BreakingChannel()})
    end = time.monotonic() + (3 if broken_channel else 20)
    with build.serving(settings, app):
        while time.monotonic() < end and _due(store):
            time.sleep(0.05)
    store.close()


def _due(store: Any) -> int:
    with store.read() as connection:
        asked = "SELECT count(*) FROM outbox WHERE state = 'claimed' OR state = 'pending' AND attempts = 0"
        return int(connection.exec_driver_sql(asked).scalar())


def planted(line: str) -> int:
    """Type a command that meets a bug of ours."""
    kept = queries.listing
    queries.listing = break_down
    try:
        return typed(line)
    finally:
        queries.listing = kept


def failing_tick() -> None:
    """Serve with a ticker whose every pass breaks."""
    kept = timers.fire_due
    timers.fire_due = break_down
    try:
        serve(broken_channel=True)
    finally:
        timers.fire_due = kept


def main() -> None:
    """Run the session in the working folder; tell on standard output what did not end as it should."""
    unlike = [line for code, line in _SET_UP if typed(line) != code]
    codes = {line: typed(line) for line in (*_LOOKS, *_WRONG)}
    serve()
    typed("retry all")
    unlike += [line for code, line in _MORE if typed(line) != code]
    serve(broken_channel=True)
    before = dict(os.environ)
    for variables, line in _ELSEWHERE:
        os.environ.update(variables)
        codes[f"{line} on {next(iter(variables))}"] = typed(line)
        os.environ.clear()
        os.environ.update(before)
    codes["planted"] = planted("list --as vang")
    failing_tick()
    print(json.dumps({"unlike": unlike, "ended": codes, "codes": CODES}, ensure_ascii=False))


if __name__ == "__main__":
    main()
