"""The definition language, key by key: the one table that the loader and the JSON Schema come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from engine.definition import Ending, FieldType, PartyKind
from engine.errors import Words
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
from engine.grammar_words import (
    EXPRESSION,
    FIXED,
    LANGUAGE,
    MONTH_DAY,
    NAME,
    NAME_WORDS,
    PEOPLE,
    PLAIN,
    RULE,
    SOURCE,
    SPAN,
    WHO,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD: Final = Record(
    "field",
    {
        "type": Key(OneOf(get_args(FieldType)), "What kind of value it holds.", required=True),
        "title": Key(Pair(), "What people read.", required=True),
        "choices": Key(MapOf(Pair(), NAME, least=1), "The words to choose from; for type choice only."),
        "personal": Key(YesNo(), "true: the value is personal and can be erased later."),
        "formula": Key(EXPRESSION, "Computed from other values, never typed in."),
        "required_when": Key(EXPRESSION, "Demanded by every step while this says yes."),
        "shown_to": Key(PEOPLE, "Who may see it; everyone who sees the case when absent."),
        "form": Key(PLAIN, "Number of the printed form; for type document."),
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
                    rf"[a-z][a-z0-9_]{{0,39}}|{RULE}",
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
        Text(r"\$previous|\$same|[a-z][a-z0-9_]{0,39}", NAME_WORDS),
        "The next state, $previous or $same.",
        required=True,
    ),
    "by": Key(PEOPLE, "Who may fire it."),
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
        "voids": Key(PEOPLE, "Whose votes it voids."),
        "extends": Key(NAME, "The deadline that it moves."),
        "extends_to": Key(NAME, "The date field that holds the new date."),
        "meets": Key(ListOf(NAME, alone=True, least=1), "Deadlines of this state that it fulfils."),
    },
)

_RUNG: Final = Record(
    "rung",
    {
        "at": Key(
            Either((Whole(0, 0), Text(r"-?[0-9]{1,3} (wd|d)", SPAN))),
            "Days before (-) or after the due date; 0 is the day itself.",
            required=True,
        ),
        "every": Key(Text(r"[1-9][0-9]{0,2} (wd|d)", SPAN), "Repeated at this distance."),
        "times": Key(Whole(2, 60), "How many times in all."),
        "to": Key(PEOPLE, "Who is told.", required=True),
        "notice": Key(NAME, "Word of the notice; deadline_near, _today or _passed when absent."),
        "log": Key(YesNo(), "true: the reminder is an entry of the log."),
    },
)

_DEADLINE: Final = Record(
    "deadline",
    {
        "within": Key(Text(r"[1-9][0-9]{0,3} (wd|d)", SPAN), "So long after entering the state."),
        "before": Key(FIXED, "A calendar date; the day before it is the last."),
        "by": Key(FIXED, "A calendar date; that day is the last."),
        "monthly": Key(
            Record(
                "monthly",
                {
                    "before": Key(MONTH_DAY, "Before this day."),
                    "by": Key(MONTH_DAY, "Not later than this day."),
                    "once": Key(YesNo(), "true: the next such day only; past it the case is late."),
                },
                ("before", "by"),
            ),
            "Each month.",
        ),
        "working_days_before": Key(
            Record(
                "working_days_before", {"days": Key(Whole(1, 60), "How many.", required=True), **FIXED.keys}
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
                                    "refused": Key(NAME, "Fired when the parent ends as refused."),
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
                        "by": Key(PEOPLE, "By whom.", required=True),
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
