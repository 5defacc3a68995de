"""The small words of the definition language: names, people, spans, days, sources; and reserved words."""

from __future__ import annotations

from typing import Final, get_args

from engine.definition import Grade
from engine.errors import Words
from engine.expression_tree import KEPT_WORDS
from engine.expression_types import TAKEN_NAMES
from engine.grammar_shapes import Either, Key, ListOf, OneOf, Record, Text, Whole

LANGUAGE: Final = 1

#: Names that mean something to the language, to expressions or to the machine: nothing may be called so.
# fmt: off
RESERVED: Final = KEPT_WORDS | TAKEN_NAMES | {
    "state", "trigger", "name", "initial", "final", "model", "self", "holder", "timer", "system", "none",
    "proposed",
    "plan", "data", "party", "vote", "document", "actor", "deadline", "vi", "en", "yes", "no", "on", "off",
}
# fmt: on

NAME_WORDS = Words(
    "chữ thường, số và dấu _ (ví dụ submitted_on)", "lower-case letters, digits and _ (such as submitted_on)"
)
NAME: Final = Text(r"[a-z][a-z0-9_]{0,39}", NAME_WORDS, "bad_name")
WHO: Final = Text(
    r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?",
    Words(
        "bên.vai_trò (ví dụ department.head) hoặc holder", "party.role (such as department.head) or holder"
    ),
)
RULE = r"rules\.[a-z][a-z0-9_]{0,59}"
EXPRESSION: Final = Text(
    "", Words("một biểu thức (ví dụ amount_vnd > 0)", "an expression (such as amount_vnd > 0)")
)
PLAIN: Final = Text("", Words("văn bản", "text"))
SPAN: Final = Words("số và đơn vị: 5 wd (ngày làm việc) hoặc 15 d (ngày)", "a number and unit: 5 wd or 15 d")
PEOPLE: Final = ListOf(WHO, alone=True, least=1)
DAY: Final = Text(
    r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", Words("tháng-ngày (06-20)", "month-day (06-20)")
)
YEAR: Final = Text(r"plan( [-+] [0-9])?", Words("plan, plan - 1 hoặc plan + 1", "plan, plan - 1 or plan + 1"))
MONTH_DAY: Final = Whole(1, 31)

FIXED: Final = Record(
    "fixed date",
    {
        "day": Key(DAY, "Month and day, 06-20.", required=True),
        "year": Key(
            YEAR, "Of which year: plan, plan - 1 …", required=True, missing="fixed_date_without_year"
        ),
    },
)

SOURCE: Final = Either(
    (
        Text(rf"proposed|{RULE}", Words("proposed hoặc rules.tên", "proposed or rules.name")),
        Record(
            "source",
            {
                "act": Key(PLAIN, "The act as printed: TT 36/2013/TT-BCT.", required=True),
                "article": Key(PLAIN, "The article as printed: Điều 13."),
                "grade": Key(OneOf(get_args(Grade)), "How well it is known.", required=True),
            },
        ),
    )
)
