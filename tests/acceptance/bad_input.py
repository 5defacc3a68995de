"""Bad input as a person types it, and the stores on which it is tried; docs/errors.md shows what is answered.

What changes from run to run (folders, ids) is replaced by words in angle brackets.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import workflows
from config.settings import Settings
from engine import schema
from engine.commands import SYSTEM, Principal, Start
from engine.execute import execute
from handlers import build, publishing, sample
from tests.acceptance.commands_of import Shell

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("central.yaml", "courses.yaml", "cao_bang.yaml")
EXIT = re.compile(r"^\$ (?P<line>.*?)\s+# exit (?P<code>\d+)$")
#: (what is wrong, the command as typed).
TRIED = (
    ("Unknown case", "tiendo show CB-2099-QG-01 --as cb-cv1"),
    ("Case of somebody else", "tiendo show CB-2026-DP-01 --as bct-bt"),
    ("Unknown person", "tiendo inbox --as cb-cv9"),
    ("Unknown trigger", "tiendo fire CB-2026-DP-01 registr --as cb-cv1"),
    ("Trigger of another state", "tiendo fire CB-2026-DP-01 approve --as cb-cv1"),
    ("Somebody else's step, and papers missing", "tiendo fire CB-2026-DP-01 survey --as cb-ld"),
    ("Unknown definition", "tiendo start local_projct --set title=Thử --as cb-cv1"),
    ("Unknown field", "tiendo edit CB-2026-DP-01 --set suport_vnd=300000000 --as cb-cv1"),
    ("Text where money is wanted", "tiendo edit CB-2026-DP-01 --set support_vnd=nhiều --as cb-cv1"),
    ("Negative money", "tiendo edit CB-2026-DP-01 --set support_vnd=-300000000 --as cb-cv1"),
    ("Money of 20 digits", "tiendo edit CB-2026-DP-01 --set support_vnd=30000000000000000000 --as cb-cv1"),
    ("English point in a sum", 'tiendo edit CB-2026-DP-01 --set support_vnd="4.9 tỷ" --as cb-cv1'),
    ("A day that does not exist", "tiendo edit CB-2026-DP-01 --set survey_on=31/02/2026 --as cb-cv1"),
    ("Wrong choice", "tiendo edit CB-2026-DP-01 --set activity=machinary --as cb-cv1"),
    ("Control character", r"""tiendo edit CB-2026-DP-01 --set "title=Máy{bell}" --as cb-cv1"""),
    ("Character that turns the direction", r"""tiendo edit CB-2026-DP-01 --set "title=Máy{rlo}yám" --as cb-cv1"""),
    ("Field that this person may not change now", "tiendo edit CB-2026-DP-01 --set accepted_on=20/11/2026 --as cb-cv1"),
    ("Unknown party", "tiendo start local_project --set title=Thử --party center=cb-ttkc --as cb-cv1"),
    ("Unknown paper", "tiendo attach CB-2026-DP-01 hop_dong --number 1 --signed-on 20/11/2026 --signer An --as cb-cv1"),
    ("Paper of a day that does not exist",
     "tiendo attach CB-2026-DP-01 survey_record --number 1 --signed-on 30/02/2026 --signer An --as cb-cv1"),
    ("The case has changed meanwhile", "tiendo edit CB-2026-DP-01 --set title=Khác --expect 99 --as cb-cv1"),
    ("A case that has ended", "tiendo edit CB-2016-DP-01 --set title=Khác --as cb-cv1"),
    ("No party named", "tiendo start local_project --set title=Thử --as cb-cv1"),
    ("A field that must be given",
     ("tiendo start local_project --party centre=cb-ttkc --party department=cb-sct --party finance=cb-stc"
      " --party approver=cb-ubnd --party commune=cb-xa-1 --set title=Thử --as cb-cv1")),
    ("A command id that was used for another command", "tiendo edit CB-2026-DP-01 --set title=Khác --id lenh-1 --as cb-cv1"),
    ("A command id that is none", 'tiendo edit CB-2026-DP-01 --set title=Khác --id "lệnh 1" --as cb-cv1'),
    ("Zero-width character", r"""tiendo edit CB-2026-DP-01 --set "title=Máy{zero}sấy" --as cb-cv1"""),
    ("A day of 30 February in another form", "tiendo edit CB-2026-DP-01 --set survey_on=2026-02-30 --as cb-cv1"),
    ("Part of a đồng", 'tiendo edit CB-2026-DP-01 --set support_vnd="0,5 đồng" --as cb-cv1'),
    ("A paper's file that is not there",
     "tiendo attach CB-2026-DP-01 survey_record --number 1 --signed-on 20/11/2026 --signer An --file thieu.pdf --as cb-cv1"),
    ("A folder in place of a paper's file",
     "tiendo attach CB-2026-DP-01 survey_record --number 1 --signed-on 20/11/2026 --signer An --file samples --as cb-cv1"),
    ("A vote that is none", "tiendo vote CB-2026-DP-01 survey perhaps --as cb-cv1"),
    ("Unknown state in a list", "tiendo list --state survved --as cb-cv1"),
    ("A province that there is not",
     "tiendo organisation set xx-ttkc name=Thử kind=centre province=cao_bag --as cb-cv1 --operator"),
    ("Another definition under a published version", "tiendo publish changed.yaml --as cb-cv1 --operator"),
    ("A definition of a file that was removed", "tiendo publish leave_reqest --as cb-cv1 --operator"),
    ("Unknown command", "tiendo shwo CB-2026-DP-01"),
    ("Unknown option", "tiendo list --sate draft --as cb-cv1"),
    ("Unknown language", "tiendo list --as cb-cv1 --lang fr"),
    ("Nothing parked under this id", "tiendo retry 0123456789abcdef0123456789abcdef"),
    ("A day outside the calendars", "tiendo calendar 2031-01-01"),
    ("Unknown rule", "tiendo rules advance_rat"),
    ("A definition with mistakes", "tiendo validate broken.yaml"),
    ("A definition file that is not there", "tiendo validate missing.yaml"),
    ("Acting as somebody on a production store", "TIENDO_DATABASE_URL=sqlite:///real.db tiendo inbox --as cb-cv1"),
    ("A store that is not there", "TIENDO_DATABASE_URL=sqlite:///nowhere.db tiendo list --as cb-cv1"),
    ("A store that is none", "TIENDO_DATABASE_URL=sqlite:///garbage.db tiendo list --as cb-cv1"),
    ("A store whose guards were taken away", "TIENDO_DATABASE_URL=sqlite:///unguarded.db tiendo list --as cb-cv1"),
    ("A setting that does not exist", "TIENDO_DATABSE_URL=sqlite:///x.db tiendo list --as cb-cv1"),
    ("A server that is not there", "TIENDO_DATABASE_URL=postgresql://127.0.0.1:1/x tiendo list --as cb-cv1"),
)  # fmt: skip
BROKEN = """definition: thu
language: 1
version: one
title: {vi: Thử}
stats: {}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown for one command, and its exit code."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What is shown for one bad input, in both languages."""

    what: str
    line: str
    vi: Answer
    en: Answer


def prepare(folder: Path) -> Shell:
    """Make the stores and files that the inputs speak of; the sample is that of one province."""
    samples = folder / "samples"
    samples.mkdir()
    for name in FILES:
        shutil.copy(workflows.FOLDER / "khuyen_cong" / "samples" / name, samples / name)
    settings = Settings(database_url=f"sqlite:///{folder}/sample.db")
    store = schema.create(folder / "sample.db", kind="sample")
    engine = build.make_engine(settings, store)
    publishing.publish_all(settings, engine, SYSTEM)
    sample.load(engine, samples, lambda *_words: None)
    with store.begin() as tx:
        ids = dict(tx.run("SELECT code, id FROM register_row"))
    parties = {
        "centre": "cb-ttkc",
        "department": "cb-sct",
        "finance": "cb-stc",
        "approver": "cb-ubnd",
        "commune": "cb-xa-1",
    }
    execute(
        engine,
        Start(
            principal=Principal("person", ids["cb-cv1"]), definition="local_project", plan_year=2026,
            parties={name: ids[code] for name, code in parties.items()},
            values={"title": "Hỗ trợ máy sấy", "programme": "local", "activity": "machinery", "project_kind": "single",
                    "province": "cao_bang"},
        ),
    )  # fmt: skip
    store.close()
    schema.create(folder / "real.db", kind="production").close()
    (folder / "garbage.db").write_bytes(b"Day khong phai la kho du lieu. " * 400)
    unguarded = schema.create(folder / "unguarded.db", kind="sample")
    with unguarded.begin() as tx:
        tx.run("DROP TRIGGER guard_transition_log_delete")
    unguarded.close()
    (folder / "broken.yaml").write_text(BROKEN, encoding="utf-8")
    leave = (workflows.FOLDER / "leave_request.yaml").read_text(encoding="utf-8")
    (folder / "changed.yaml").write_text(
        leave.replace("vi: Đơn xin nghỉ phép", "vi: Đơn nghỉ"), encoding="utf-8"
    )
    shell = Shell(folder, {"TIENDO_DATABASE_URL": "sqlite:///sample.db"})
    first = shell.run("tiendo edit CB-2026-DP-01 --set commune_name=Nguyên_Bình --id lenh-1 --as cb-cv1")
    if first.returncode:
        raise RuntimeError(first.stderr)
    return shell


def answers(shell: Shell) -> list[Answers]:
    """Type every input in both languages and return what is shown."""
    return [Answers(what, line, _typed(shell, line), _typed(shell, in_english(line))) for what, line in TRIED]


def in_english(line: str) -> str:
    """Return the command that is to be answered in English."""
    return f"TIENDO_LANGUAGE=en {line}" if "--lang" in line else f"{line} --lang en"


def _typed(shell: Shell, line: str) -> Answer:
    typed = line.replace("{bell}", "\a").replace("{rlo}", "\u202e").replace("{zero}", "\u200b")
    words = typed.split(" ")
    variables = dict(word.split("=", 1) for word in words if word.startswith("TIENDO_"))
    plain = " ".join(word for word in words if not word.startswith("TIENDO_"))
    ran = Shell(shell.folder, {**shell.variables, **variables}).run(plain)
    return Answer(ran.returncode, steady(ran.stdout + ran.stderr, shell.folder))


def steady(text: str, folder: Path) -> str:
    """Return what was shown without what changes from run to run."""
    text = text.replace(str(folder), "<folder>")
    return "\n".join(line.rstrip() for line in text.splitlines() if not line.startswith("[kho mẫu")).strip()
