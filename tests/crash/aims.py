"""At which message a process of a cluster is killed or its line is cut, by role: what must be met is aimed at."""

from __future__ import annotations

from typing import Any

_WRITING = "INSERT INTO (receipt|refusal)"
#: Not the trial ring of a process that starts.
_RING = "^EVAL local room .* tiendo:(notices|deadlines) "
_COMMIT = {"side": "asks", "words": "^COMMIT"}


def _at(line: str, **rule: Any) -> tuple[str, dict[str, Any]]:
    return line, {"do": "kill", **rule}


#: role -> means -> (line, rule).
AIMS: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "client": {
        "lock": _at("db", side="asks", words="advisory_xact_lock|FOR NO KEY UPDATE"),
        "write": _at("db", side="asks", words="^(UPDATE workflow_case|INSERT INTO (workflow_case|transition_log))"),
        "half": _at("db", side="asks", words="^INSERT INTO (receipt|notice|refusal)"),
        "commit": _at("db", **_COMMIT, within=_WRITING),
        "sent": _at("db", **_COMMIT, within=_WRITING, when="after"),
        "answer": _at("db", side="answers", words="^-> COMMIT", within=_WRITING),
        "told": _at("db", side="answers", words="^-> COMMIT", within=_WRITING, when="after"),
        "bell": _at("bell", side="asks", words=_RING),
        "rung": _at("bell", side="answers", words=_RING),
    },
    "worker": {
        "taken": _at("bell", side="answers", words="-> messages"),
        "claim": _at("db", **_COMMIT, within="SET state = 'claimed'", when="after"),
        "rcpt": _at("mail", side="asks", words="(?i)^rcpt"),
        "dot": _at("mail", side="answers", words=r"^\. -> 250"),
        "record": _at("db", **_COMMIT, within="INSERT INTO delivery"),
        "recorded": _at("db", side="answers", words="^-> COMMIT", within="INSERT INTO delivery"),
        "fired": _at("db", **_COMMIT, within="INSERT INTO transition_log", when="after"),
    },
    "ticker": {
        "fire": _at("db", **_COMMIT, within="INSERT INTO transition_log"),
        "fired": _at("db", **_COMMIT, within="INSERT INTO transition_log", when="after"),
        "swept": _at("bell", side="asks", words=_RING),
    },
}  # fmt: skip
#: What is aimed at for a point; a process may pass the message so many times before it dies there.
FOR_POINT = {
    "F01": ("client", ("lock", "write", "half", "commit")),
    "F02": ("client", ("sent", "answer")),
    "F03": ("client", ("rung", "told")),
    "F04": ("client", ("bell",)),
    "F05": ("worker", ("taken",)),
    "F06": ("worker", ("claim", "rcpt")),
    "F07": ("worker", ("dot", "record")),
    "F08": ("worker", ("recorded",)),
    "F09": ("ticker", ("fire", "fired", "swept")),
}
WORK = {
    "lock": 8, "write": 6, "half": 6, "commit": 6, "sent": 6, "answer": 6, "told": 6, "bell": 2, "rung": 1,
    "taken": 3, "claim": 4, "rcpt": 4, "dot": 4, "record": 4, "recorded": 4, "fire": 2, "fired": 2, "swept": 2,
}  # fmt: skip
#: Where a line is cut while its process lives on: the answer is then not known.
CUTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "client": [
        ("db", {**_COMMIT, "within": _WRITING}),
        ("db", {**_COMMIT, "within": _WRITING, "when": "after"}),
        ("db", {"side": "answers", "words": "^-> COMMIT", "within": _WRITING}),
        ("bell", {"side": "asks", "words": _RING}),
    ],
    "worker": [
        ("db", {**_COMMIT, "within": "INSERT INTO delivery", "when": "after"}),
        ("mail", {"side": "asks", "words": "(?i)^rcpt"}),
        ("mail", {"side": "answers", "words": r"^\. -> 250"}),
        ("bell", {"side": "answers", "words": "-> messages"}),
    ],
    "ticker": [
        ("db", {**_COMMIT, "within": "INSERT INTO transition_log", "when": "after"}),
        ("bell", {"side": "asks", "words": _RING}),
    ],
}  # fmt: skip
