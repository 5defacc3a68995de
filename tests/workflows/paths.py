"""Paths that together lead through every state of the khuyến công definitions."""

from __future__ import annotations

from typing import Any

_TO_DRAFT = ["register", "report_registration"]
_TO_APPROVED = ["accept_file", "pass_base", "send_to_agency", "take_up", "propose_plan", "approve"]
_SETTLE = ["claim_rest", "pay_rest", "file_settlement", "close", "archive"]
_SLOT = ["approve_slot", "invest", "finish_investment", "inspect", "accept"]


def _slots(count: int) -> list[str]:
    opened = []
    for number in range(1, count + 1):
        name = f"slot{number}"
        opened += [f"{name}=beneficiary_slot", f"{name}.nominate", f"{name}.specify"]
    return opened


def _all(name: str, words: list[str]) -> list[str]:
    return [f"{name}.{word}" for word in words]


#: Two slots that share what the project has.
_TWO: dict[str, Any] = {
    "project_kind": "group",
    "establishments": 2,
    "slot": {
        "support_vnd": 150_000_000,
        "counterpart_vnd": 200_000_000,
        "accepted_support_vnd": 150_000_000,
        "accepted_counterpart_vnd": 200_000_000,
    },
}

#: name -> (definition, values that differ, path).
PATHS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "national_single": (
        "national_project",
        {},
        [
            *_TO_DRAFT, "submit", "return_file", "resubmit", "accept_file", "return_file", "resubmit", "accept_file",
            "pass_base", "send_to_agency", "ask_supplement", "answer_supplement", "take_up", "waitlist",
            "take_up_again", "propose_plan", "send_back", "propose_plan", "approve", "hold_unfunded", "assign_plan",
            "prepare_contract", "sign_contract", "extend", "advance1=advance", "advance1.return_file",
            "advance1.resubmit", "advance1.confirm", "advance1.check", "advance1.send_to_treasury", "advance1.pay",
            "report1=progress_report", "report1.file", "suspend", "resume", "request_acceptance", "fail_acceptance",
            "request_acceptance", "accept", "claim_rest", "return_claim", "claim_rest", "pay_rest", "file_settlement",
            "return_settlement", "file_settlement", "close", "archive",
        ],
    ),
    "national_tender": (
        "national_project",
        {"activity": "fair_organise", "extended_to": "2028-03-31"},
        [
            *_TO_DRAFT, "submit", *_TO_APPROVED, "assign_plan", "tender", "award", "tender", "award", "sign_contract",
            "extend_to_next_year", "request_acceptance", "accept", *_SETTLE,
        ],
    ),
    "national_group": (
        "national_project",
        _TWO | {"remaining_vnd": 0},
        [
            *_TO_DRAFT, *_slots(2), "submit", *_TO_APPROVED, "assign_plan", "plan_group", "submit_group_plan",
            "return_group_plan", "submit_group_plan", "approve_group_plan", "sign_contract", *_all("slot1", _SLOT),
            "report_rest", "extend", "slot2.approve_slot", "slot2.invest", "slot2.postpone", "slot2.finish_investment",
            "slot2.send_back", "slot2.finish_investment", "slot2.inspect", "slot2.accept", "slot1.pay", "slot2.pay",
            *_SETTLE,
        ],
    ),
    "national_group_of_one": (
        "national_project",
        {"project_kind": "group", "remaining_vnd": 0},
        [
            *_TO_DRAFT, *_slots(1), "submit", *_TO_APPROVED, "assign_plan", "plan_group", "submit_group_plan",
            "approve_group_plan", "sign_contract", *_all("slot1", _SLOT),
        ],
    ),
    "national_group_next_year": (
        "national_project",
        _TWO | {"extended_to": "2028-03-31"},
        [
            *_TO_DRAFT, *_slots(2), "submit", *_TO_APPROVED, "assign_plan", "plan_group", "submit_group_plan",
            "approve_group_plan", "sign_contract", *_all("slot1", _SLOT), "extend_to_next_year",
        ],
    ),
    "national_consulting_group": (
        "national_project",
        {"project_kind": "group", "activity": "consulting"},
        [
            *_TO_DRAFT, "submit", *_TO_APPROVED, "assign_plan", "plan_group", "slot1=beneficiary_slot",
            "slot1.nominate", "slot1.approve_slot",
        ],
    ),
    "local_single": (
        "local_project",
        {},
        [
            "survey", "draw_up", "submit", "return_file", "resubmit", "accept_file", "return_file", "resubmit",
            "accept_file", "put_on_list", "ask_finance", "question_estimate", "resubmit", "accept_file", "ask_finance",
            "agree_estimate", "send_back", "propose", "approve", "sign_contract", "begin_work", "extend", "suspend",
            "resume", "request_acceptance", "fail_acceptance", "request_acceptance", "accept", "pay",
            "return_settlement", "file_again", "settle", "check", "archive",
        ],
    ),
    "local_group": (
        "local_project",
        _TWO,
        [
            "survey", "draw_up", "submit", "accept_file", "propose", "approve", *_slots(2), "sign_contract",
            "begin_work", *_all("slot1", _SLOT), "report_rest", *_all("slot2", _SLOT), "slot1.pay", "slot2.pay",
        ],
    ),
    "local_group_of_one": (
        "local_project",
        {"project_kind": "group"},
        [
            "survey", "draw_up", "submit", "accept_file", "propose", "approve", *_slots(1), "sign_contract",
            "begin_work", *_all("slot1", _SLOT),
        ],
    ),
}  # fmt: skip
