"""The definition language, key by key: the one table that the loader and the JSON Schema come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from engine.definition import Ending, FieldType, Grade, PartyKind
from engine.errors import Words
from engine.expression_tree import KEPT_WORDS
from engine.expression_types import TAKEN_NAMES
from engine.grammar_shapes import (
    Anything,
    Either,
    Key,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Pair,
    Record,
    Shape,
    Text,
    Whole,
    YesNo,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGE: Final = 1

#: Names that mean something to the language, to expressions or to the machine: nothing may be called so.
RESERVED: Final = (
    KEPT_WORDS
    | TAKEN_NAMES
    | {
        "state",
        "trigger",
        "name",
        "initial",
        "final",
        "model",
        "self",
        "holder",
        "timer",
        "system",
        "none",
    }
    | {
        "proposed",
        "plan",
        "data",
        "party",
        "vote",
        "document",
        "actor",
        "deadline",
        "vi",
        "en",
        "yes",
        "no",
        "on",
        "off",
    }
)

_NAME = Words(
    "chữ thường, số và dấu _ (ví dụ submitted_on)", "lower-case letters, digits and _ (such as submitted_on)"
)
NAME: Final = Text(r"[a-z][a-z0-9_]{0,39}", _NAME, "bad_name")
WHO: Final = Text(
    r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?",
    Words(
        "bên.vai_trò (ví dụ department.head) hoặc holder", "party.role (such as department.head) or holder"
    ),
)
_RULE = r"rules\.[a-z][a-z0-9_]{0,59}"
EXPRESSION: Final = Text(
    "", Words("một biểu thức (ví dụ amount_vnd > 0)", "an expression (such as amount_vnd > 0)")
)
_PLAIN: Final = Text("", Words("văn bản", "text"))
_SPAN: Final = Words("số và đơn vị: 5 wd (ngày làm việc) hoặc 15 d (ngày)", "a number and unit: 5 wd or 15 d")
_PEOPLE: Final = ListOf(WHO, alone=True, least=1)
_DAY: Final = Text(
    r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", Words("tháng-ngày (06-20)", "month-day (06-20)")
)
_YEAR: Final = Text(
    r"plan( [-+] [0-9])?", Words("plan, plan - 1 hoặc plan + 1", "plan, plan - 1 or plan + 1")
)
_MONTH_DAY: Final = Whole(1, 31)

_FIXED: Final = Record(
    "fixed date",
    {
        "day": Key(_DAY, "Month and day, 06-20.", required=True),
        "year": Key(
            _YEAR, "Of which year: plan, plan - 1 …", required=True, missing="fixed_date_without_year"
        ),
    },
)

SOURCE: Final = Either(
    (
        Text(rf"proposed|{_RULE}", Words("proposed hoặc rules.tên", "proposed or rules.name")),
        Record(
            "source",
            {
                "act": Key(_PLAIN, "The act as printed: TT 36/2013/TT-BCT.", required=True),
                "article": Key(_PLAIN, "The article as printed: Điều 13."),
                "grade": Key(OneOf(get_args(Grade)), "How well it is known.", required=True),
            },
        ),
    )
)

_FIELD: Final = Record(
    "field",
    {
        "type": Key(OneOf(get_args(FieldType)), "What kind of value it holds.", required=True),
        "title": Key(Pair(), "What people read.", required=True),
        "choices": Key(MapOf(Pair(), NAME, least=1), "The words to choose from; for type choice only."),
        "personal": Key(YesNo(), "true: the value is personal and can be erased later."),
        "formula": Key(EXPRESSION, "Computed from other values, never typed in."),
        "required_when": Key(EXPRESSION, "Demanded by every step while this says yes."),
        "shown_to": Key(_PEOPLE, "Who may see it; everyone who sees the case when absent."),
        "form": Key(_PLAIN, "Number of the printed form; for type document."),
        "source": Key(SOURCE, "Where it is laid down."),
    },
)

_PARTY: Final = Record(
    "party",
    {
        "kind": Key(OneOf(get_args(PartyKind)), "Organisation, establishment or person.", required=True),
        "title": Key(Pair(), "What people read.", required=True),
        "roles": Key(MapOf(Pair(), NAME, least=1), "Roles that people have there."),
        "required": Key(YesNo(), "false: a case may be opened without it."),
    },
)

_REQUIREMENT: Final = Record(
    "requirement",
    {
        "id": Key(NAME, "Its name, which is also its error code.", required=True),
        "that": Key(EXPRESSION, "The yes/no expression that must say yes.", required=True),
        "else": Key(Pair(), "What people read when it says no; {field} shows a value.", required=True),
        "source": Key(SOURCE, "Where it is laid down.", required=True),
    },
)

_NEEDS: Final = Record(
    "needs",
    {
        "reason": Key(YesNo(), "true: whoever fires must say why."),
        "fields": Key(ListOf(NAME, alone=True, least=1), "Fields that must be filled."),
        "documents": Key(
            ListOf(
                Text(
                    rf"[a-z][a-z0-9_]{{0,39}}|{_RULE}",
                    Words("tên giấy tờ hoặc rules.tên", "a document or rules.name"),
                ),
                alone=True,
                least=1,
            ),
            "Papers that must be attached, by name or as a rule pack lists them.",
        ),
    },
)

_APPROVALS: Final = Record(
    "approvals",
    {
        "of": Key(ListOf(WHO, least=1), "Who votes.", required=True),
        "need": Key(
            Either((OneOf(("all",)), Whole(1, 50))), "How many must say yes: a number, or all.", required=True
        ),
        "in_order": Key(YesNo(), "true: each votes only after those before."),
        "veto": Key(YesNo(), "true: a single no stands in the way."),
        "moves": Key(YesNo(), "false: the last vote does not fire the trigger by itself."),
    },
)

_STARTS: Final = ListOf(
    Record(
        "starts",
        {
            "definition": Key(NAME, "The child definition.", required=True),
            "every": Key(OneOf(("month",)), "month: one child each month while the state lasts."),
            "period_field": Key(NAME, "Field of the child that receives the month."),
            "values": Key(MapOf(Named("value"), NAME), "Fields of the child, computed from this case."),
        },
    ),
    alone=True,
    least=1,
)

_GUARD: Final = Either((NAME, MapOf(Anything(), NAME, least=1)))

_MOVE: Final[Mapping[str, Key]] = {
    "title": Key(Pair(), "What people read: a verb of the office.", required=True),
    "to": Key(
        Text(r"\$previous|\$same|[a-z][a-z0-9_]{0,39}", _NAME),
        "The next state, $previous or $same.",
        required=True,
    ),
    "by": Key(_PEOPLE, "Who may fire it."),
    "require": Key(ListOf(_REQUIREMENT, least=1), "What must be true."),
    "guards": Key(ListOf(_GUARD, least=1), "Named questions with their arguments."),
    "needs": Key(_NEEDS, "What must be on the case."),
    "sets": Key(MapOf(Named("value"), NAME, least=1), "Fields that the move fills."),
    "starts": Key(_STARTS, "Child cases that the move opens."),
    "tells": Key(MapOf(ListOf(NAME, alone=True, least=1), WHO, least=1), "Who gets which notice."),
    "decides": Key(NAME, "today, or the date field of the decision on the support."),
    "source": Key(SOURCE, "Where the step is laid down."),
}

_TRIGGER: Final = Record(
    "trigger",
    {
        **_MOVE,
        "when": Key(EXPRESSION, "Taken by itself as soon as this says yes."),
        "approvals": Key(_APPROVALS, "Votes that must be in."),
        "return": Key(YesNo(), "true: sent back for supplements; counted, the clock starts anew."),
        "voids": Key(_PEOPLE, "Whose votes it voids."),
        "extends": Key(NAME, "The deadline that it moves."),
        "extends_to": Key(NAME, "The date field that holds the new date."),
        "meets": Key(ListOf(NAME, alone=True, least=1), "Deadlines of this state that it fulfils."),
    },
)

_RUNG: Final = Record(
    "rung",
    {
        "at": Key(
            Either((Whole(0, 0), Text(r"-?[0-9]{1,3} (wd|d)", _SPAN))),
            "Days before (-) or after the due date; 0 is the day itself.",
            required=True,
        ),
        "every": Key(Text(r"[1-9][0-9]{0,2} (wd|d)", _SPAN), "Repeated at this distance."),
        "times": Key(Whole(2, 60), "How many times in all."),
        "to": Key(_PEOPLE, "Who is told.", required=True),
        "notice": Key(NAME, "Word of the notice; deadline_near, _today or _passed when absent."),
        "log": Key(YesNo(), "true: the reminder is an entry of the log."),
    },
)

_DEADLINE: Final = Record(
    "deadline",
    {
        "within": Key(Text(r"[1-9][0-9]{0,3} (wd|d)", _SPAN), "So long after entering the state."),
        "before": Key(_FIXED, "A calendar date; the day before it is the last."),
        "by": Key(_FIXED, "A calendar date; that day is the last."),
        "monthly": Key(
            Record(
                "monthly",
                {
                    "before": Key(_MONTH_DAY, "Before this day."),
                    "by": Key(_MONTH_DAY, "Not later than this day."),
                },
                ("before", "by"),
            ),
            "Each month.",
        ),
        "working_days_before": Key(
            Record(
                "working_days_before", {"days": Key(Whole(1, 60), "How many.", required=True), **_FIXED.keys}
            ),
            "So many working days before a calendar date.",
        ),
        "on": Key(NAME, "The date in this field."),
        "since": Key(NAME, "Counted from this date field, or from the latest firing of this trigger."),
        "source": Key(SOURCE, "Where it is laid down; proposed when nowhere.", required=True),
        "fires": Key(NAME, "Trigger that is fired when it has passed."),
        "ladder": Key(ListOf(_RUNG, least=1), "Reminders and escalations."),
    },
    ("within", "before", "by", "monthly", "working_days_before", "on"),
)

_STATE: Final = Record(
    "state",
    {
        "phase": Key(NAME, "The coarse step it belongs to.", required=True),
        "title": Key(Pair(), "What people of the office read.", required=True),
        "public": Key(Pair(), "What outsiders read; the title when absent."),
        "holder": Key(WHO, "Whose move it is; every state but a final one has one."),
        "final": Key(OneOf(get_args(Ending)), "The case ends here, in this way."),
        "pauses_clock": Key(YesNo(), "true: periods stand still while the case is here."),
        "deadline": Key(_DEADLINE, "By when it must be left."),
        "deadlines": Key(MapOf(_DEADLINE, NAME, least=1), "Several, each with a name."),
        "triggers": Key(MapOf(_TRIGGER, NAME), "What can be done here."),
        "starts": Key(_STARTS, "Child cases opened on entering."),
    },
)

_NAMES_LIST: Final = ListOf(NAME, alone=True, least=1)

DEFINITION: Final = Record(
    "definition",
    {
        "definition": Key(NAME, "Its name.", required=True),
        "language": Key(OneOf((LANGUAGE,)), "The version of this language.", required=True),
        "version": Key(Whole(1, 9_999), "Counted up with each change that is published.", required=True),
        "title": Key(Pair(), "What people read.", required=True),
        "parent": Key(_NAMES_LIST, "Definitions whose cases may be the parent."),
        "series": Key(
            Text(r"[A-Z]{1,6}", Words("chữ hoa, ví dụ QG", "capitals, such as QG")), "Letters of the code."
        ),
        "phases": Key(
            MapOf(Pair(), NAME, least=1), "Columns of the board; the programme's eight when absent."
        ),
        "fields": Key(MapOf(_FIELD, NAME), "Values and papers of a case."),
        "parties": Key(MapOf(_PARTY, NAME, least=1), "Who takes part.", required=True),
        "reads": Key(
            ListOf(OneOf(("parent", "children", "plan", "establishment")), alone=True),
            "What decisions look at beside the case itself.",
        ),
        "start": Key(
            Record("start", {"trigger": Key(NAME, "Name of the opening step.", required=True), **_MOVE}),
            "How a case is opened.",
            required=True,
        ),
        "states": Key(MapOf(_STATE, NAME, least=2), "Where a case can be.", required=True),
        "overlays": Key(
            MapOf(
                Record(
                    "overlay",
                    {
                        **_TRIGGER.keys,
                        "anywhere_in": Key(_NAMES_LIST, "Phases or states that it is for.", required=True),
                        "except": Key(_NAMES_LIST, "States that it is not for."),
                    },
                ),
                NAME,
            ),
            "Triggers that many states share, written once.",
        ),
        "children": Key(
            MapOf(
                Record(
                    "child",
                    {
                        "when_parent": Key(
                            Record(
                                "when_parent",
                                {
                                    "suspended": Key(
                                        NAME, "Fired on open children when the parent's clock pauses."
                                    ),
                                    "resumed": Key(NAME, "Fired when it runs again."),
                                    "stopped": Key(NAME, "Fired when the parent ends as stopped."),
                                },
                            ),
                            "What happens to open children.",
                        ),
                        "at_most": Key(Whole(1, 10_000), "How many there may be."),
                    },
                ),
                NAME,
            ),
            "Definitions of child cases.",
        ),
        "editable": Key(
            ListOf(
                Record(
                    "editable",
                    {
                        "fields": Key(_NAMES_LIST, "Which fields.", required=True),
                        "in": Key(_NAMES_LIST, "In which states or phases.", required=True),
                        "by": Key(_PEOPLE, "By whom.", required=True),
                    },
                )
            ),
            "Which fields may be changed, where, by whom.",
        ),
        "summary": Key(
            Record(
                "summary",
                {
                    "title": Key(NAME, "Field shown as the case's title."),
                    "scope": Key(NAME, "Field that lists are filtered by: province, programme."),
                    "category": Key(NAME, "Field of the activity."),
                    "amount": Key(NAME, "Field of the money."),
                    "plan_year": Key(NAME, "Field of the plan year."),
                },
            ),
            "Which fields fill the common columns.",
        ),
        "tests": Key(
            ListOf(
                Record(
                    "test",
                    {
                        "given": Key(
                            MapOf(Anything(), NAME),
                            "State, fields, parent, children, rules, documents.",
                            required=True,
                        ),
                        "fire": Key(NAME, "The trigger.", required=True),
                        "to": Key(NAME, "The state expected."),
                        "refused_because": Key(_NAMES_LIST, "The codes expected."),
                    },
                    ("to", "refused_because"),
                )
            ),
            "Examples that the linter runs.",
        ),
    },
)

#: What `sets` and `starts.values` hold: an expression, or a bare number or yes/no.
NAMED_SHAPES: Final[Mapping[str, Shape]] = {"value": Either((EXPRESSION, Whole(-(10**15), 10**15), YesNo()))}
