"""The shipped rule packs say what the acts say, cell by cell, and no more.

The tables below are written from the acts' tables as they were read, in million đồng and percent, apart from
the packs: `-` no such limit, `?` unset (not verified), `?35` unset with a proposal. The letter after a cell
is its grade: r read, s secondary, i inferred, p proposed.
"""

from __future__ import annotations

import re
import timeit
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from engine.rule_packs import read_folder, read_pack
from engine.rule_rows import Unverified, Value
from engine.rule_units import GRADES
from engine.rules import RuleBook
from engine.yaml_text import plain, read

FOLDER = Path(__file__).parents[2] / "workflows" / "khuyen_cong" / "rules"
PACKS, WORDS = read_folder(FOLDER)
BOOK = RuleBook.of(PACKS, WORDS)

OLD, NEW = date(2016, 6, 1), date(2023, 6, 1)
GRADE = {"r": "read", "s": "secondary", "i": "inferred", "p": "proposed"}
ACTIVITIES = tuple(WORDS.dimensions["activity"].words)
MILLION = 1_000_000


def national(key: str, on: date = NEW, **dimensions: str) -> Value:
    """Return what the national programme says."""
    return BOOK.resolve(key, {"programme": "national", **dimensions}, on)


def expected(cell: str, scale: int) -> tuple[int | None, int | None, str]:
    """Return value, proposal and grade that a cell of a table stands for."""
    if cell.startswith("?"):
        return None, int(cell[1:]) * scale if cell[1:] else None, "unverified"
    number, grade = cell[:-1], GRADE[cell[-1]]
    return (10**15 if scale == MILLION else 10_000) if number == "-" else int(number) * scale, None, grade


# activity           2014 %  2014 m  2018 %  2018 m  clause of TT 28/2018, Điều 8, where it was seen
CAPS = """
startup               -r      10r     -r      10r
demo_model            30r     500r    30r     1000r   2
demo_existing         -r      100r    ?       ?100    2
machinery             50r     200r    50r     300r    4
technology_transfer   50r     200r    50r     300r    4
machinery_line        50i     200i    50r     450r    4
cp_pilot              ?       ?       30s     500s
fair_organise         100r    -r      ?100    ?
fair_domestic         80r     -r      ?80     ?
fair_abroad           100r    -r      100r    -r      6
study_abroad          100r    -r      100r    -r
selection_region      -r      100r    -s      200s
selection_nation      -r      200r    -s      400s
brand                 50r     35r     ?50     ?35
consulting            50r     35r     ?50     ?35
association_region    30r     70r     ?30     ?70
association_nation    30r     100r    ?30     ?100
linkage               50r     150r    ?50     ?150
interest              50r     500r    50r     500r    14
pollution_site        30r     300r    ?30     ?300
pollution_cluster     30r     1500r   ?30     ?1500
cluster_plan          50r     500r    ?50     ?500
cluster_infra         -r      3000r   -s      6000s
media                 ?       -r      ?       ?
vocational_training   ?       ?       ?       ?
training_course       ?       ?       ?       ?
study_tour            ?       ?       ?       ?
contest               ?       ?       ?       ?
website               ?       ?       ?       ?
cp_assessment         none    none    none    none
"""

# activity            rate  work over  documents of the first advance
ADVANCES = """
cluster_infra         30r   50r  signed_contract support_contract contractor_contract progress_form
pollution_cluster     30r   50r  signed_contract support_contract contractor_contract progress_form
vocational_training   70r   0r   signed_contract training_plan
training_course       70r   0r   signed_contract activity_plan
study_tour            70r   0r   signed_contract activity_plan
brand                 70r   0r   signed_contract activity_plan
consulting            70r   0r   signed_contract
association_region    70r   0r   signed_contract
association_nation    70r   0r   signed_contract
linkage               70r   0r   signed_contract
cp_assessment         70r   0r   signed_contract
fair_organise         70r   0r   signed_contract
fair_domestic         70r   0r   signed_contract
media                 70r   0r   signed_contract
website               70r   0r   signed_contract
cluster_plan          70r   0r   signed_contract support_contract
demo_model            70r   70r  signed_contract progress_form
machinery             70r   70r  signed_contract progress_form
machinery_line        70r   70r  signed_contract progress_form
technology_transfer   70r   70r  signed_contract progress_form
pollution_site        70r   70r  signed_contract progress_form
startup               100r  0r   signed_contract base_acceptance volume_form business_registration
study_abroad          70i   0i   signed_contract activity_plan
fair_abroad           70i   0i   signed_contract
demo_existing         70i   70i  signed_contract progress_form
interest              0i    ?    ?
cp_pilot              ?     ?    ?
selection_region      ?     ?    ?
selection_nation      ?     ?    ?
contest               ?     ?    ?
"""

# What each activity adds to acceptance minutes, result report and volume form for the remaining money;
# `+vouchers` is the voucher list for 100 % of the cost.
FINAL = """
vocational_training  certificate_decision learner_list employment_list meal_travel_vouchers
consulting  consulting_contract consulting_acceptance consulting_liquidation consulting_product +vouchers
training_course  attendance_list course_materials expense_vouchers
demo_model  item_invoices delegate_list model_description expense_vouchers
demo_existing  item_invoices delegate_list model_description expense_vouchers
technology_transfer  transfer_contract transfer_acceptance transfer_liquidation
machinery  purchase_contract purchase_acceptance purchase_liquidation
machinery_line  purchase_contract purchase_acceptance purchase_liquidation
cp_assessment  cp_report
brand  trademark_certificate brand_strategy +vouchers
media  media_contract media_acceptance media_liquidation product_samples
website  media_contract media_acceptance media_liquidation product_samples
association_region  founding_decision association_charter member_list +vouchers
association_nation  founding_decision association_charter member_list +vouchers
fair_organise  participant_list booth_contracts
fair_domestic  participant_list booth_contracts organiser_invoices
linkage  content_approval +vouchers
cluster_plan  content_approval +vouchers
cluster_infra  use_acceptance value_table independent_audit
pollution_cluster  use_acceptance value_table output_standard independent_audit
pollution_site  use_acceptance value_table output_standard
contest  contest_decisions
"""
LETTER = "registration_letter project_file"
SHARED = ("acceptance_minutes", "result_report", "volume_form")


def lines(table: str) -> list[list[str]]:
    """Return the words of each line."""
    return [line.split() for line in table.strip().splitlines()]


@pytest.mark.parametrize("cells", lines(CAPS), ids=lambda cells: cells[0])
def test_every_cap_is_the_one_of_the_acts(cells: list[str]) -> None:
    # given
    activity, *row = cells
    asked = [
        ("cap_percent", OLD, 100),
        ("cap_vnd", OLD, MILLION),
        ("cap_percent", NEW, 100),
        ("cap_vnd", NEW, MILLION),
    ]
    for (key, on, scale), cell in zip(asked, row, strict=False):
        # when
        value = national(key, on, activity=activity)
        # then
        if cell == "none":
            assert isinstance(value, Unverified)
            assert value.row == ""
            continue
        proposal = value.proposal if isinstance(value, Unverified) else None
        assert (value.value, proposal, value.grade) == expected(cell, scale), (activity, key, on)
        assert value.cite is not None
        assert value.cite.act == ("TTLT 26/2014/TTLT-BTC-BCT" if on == OLD else "TT 28/2018/TT-BTC")
    if len(row) == len(asked) + 1:
        assert {str(national(key, activity=activity).cite) for key in ("cap_vnd", "cap_percent")} == {
            f"TT 28/2018/TT-BTC, Điều 8, khoản {row[-1]}"
        }


@pytest.mark.parametrize("cells", lines(ADVANCES), ids=lambda cells: cells[0])
def test_every_advance_rate_and_gate_is_the_one_of_the_acts(cells: list[str]) -> None:
    # given
    activity, rate, work, *papers = cells
    # when
    answers = [national(key, activity=activity) for key in ("advance_rate", "advance_volume_over")]
    documents = national("advance_documents", activity=activity)
    # then
    assert [(value.value, None, value.grade) for value in answers] == [
        expected(cell, 100) for cell in (rate, work)
    ]
    assert documents.value == (None if papers == ["?"] else tuple(papers))
    assert "Điều 13" in str(documents.cite)


@pytest.mark.parametrize("cells", lines(FINAL), ids=lambda cells: cells[0])
def test_the_papers_for_the_remaining_money_are_those_of_article_14(cells: list[str]) -> None:
    # given
    activity, *papers = [cell.replace("+vouchers", "full_cost_vouchers") for cell in cells]
    # when
    value = national("final_documents", activity=activity, legal_form="enterprise")
    # then
    assert value.value == (*SHARED, *papers)
    assert value.grade == ("inferred" if activity == "demo_existing" else "read")


def test_every_activity_stands_in_each_table_and_what_the_acts_omit_is_unset() -> None:
    # given
    tables = {"caps": CAPS, "advances": ADVANCES}
    omitted = {
        "startup",
        "study_tour",
        "study_abroad",
        "cp_pilot",
        "fair_abroad",
        "selection_region",
        "selection_nation",
    }
    # when / then
    for name, table in tables.items():
        assert sorted(cells[0] for cells in lines(table)) == sorted(ACTIVITIES), name
    assert {cells[0] for cells in lines(FINAL)} | omitted | {"interest"} == set(ACTIVITIES)
    assert all(isinstance(national("final_documents", activity=word), Unverified) for word in omitted)


def test_an_audit_is_asked_of_an_enterprise_only_and_a_case_without_legal_form_is_told_so() -> None:
    # when
    enterprise = national("final_documents", activity="cluster_infra", legal_form="enterprise")
    body = national("final_documents", activity="cluster_infra", legal_form="public_body")
    unknown = national("final_documents", activity="cluster_infra")
    # then
    assert isinstance(enterprise.value, tuple)
    assert isinstance(body.value, tuple)
    assert set(enterprise.value) - set(body.value) == {"independent_audit"}
    assert isinstance(unknown, Unverified)
    assert "thiếu loại hình của cơ sở (legal_form)" in unknown.sentence()


def test_interest_is_paid_on_the_papers_of_article_15() -> None:
    # when
    value = national("final_documents", activity="interest")
    # then
    assert value.value == (
        "signed_contract", "acceptance_minutes", "volume_form", "credit_contract", "interest_proof",
        "contractor_contract", "contractor_liquidation",
    )  # fmt: skip
    assert str(value.cite) == "TT 36/2013/TT-BCT, Điều 15, khoản 1"


@pytest.mark.parametrize(
    ("key", "day", "shown"),
    [
        ("registration_report_day", "2014-02-09", "chưa xác minh"),
        ("registration_report_day", "2014-02-10", "15/06"),
        ("registration_report_day", "2018-07-09", "15/06"),
        ("registration_report_day", "2018-07-10", "20/06"),
        ("unit_registration_day", "2018-07-09", "20/05"),
        ("unit_registration_day", "2018-07-10", "chưa xác minh"),
        ("ministry_file_day", "2018-07-09", "15/06"),
        ("ministry_file_day", "2023-01-01", "chưa xác minh"),
        ("liquidation_day", "2023-01-01", "22/01"),
        ("settlement_file_days", "2023-01-01", "15 ngày"),
        ("progress_report_day", "2023-01-01", "25"),
        ("department_file_sets", "2018-07-09", "3"),
        ("department_file_sets", "2018-07-10", "2"),
        ("advance_ceiling", "2018-05-10", "70 %"),
        ("advance_ceiling", "2023-01-01", "70 %"),
        ("priority_factor", "2018-05-10", "1,5 ×"),
        ("priority_factor", "2018-05-11", "chưa xác minh"),
        ("management_agency_percent", "2018-05-10", "1,5 %"),
        ("management_unit_percent", "2018-05-10", "2,5 %"),
        ("management_unit_percent", "2018-05-11", "chưa xác minh"),
        ("fair_abroad_times", "2023-01-01", "2"),
        ("treasury_advance_day", "2026-03-24", "chưa xác minh"),
        ("treasury_advance_day", "2026-03-25", "30/12"),
        ("spending_last_day", "2026-12-01", "31/12"),
        ("adjustment_end_day", "2026-12-01", "31/01"),
        ("treasury_payment_before_days", "2026-12-01", "2 ngày làm việc"),
        ("treasury_reconciliation_day", "2026-12-01", "10/02"),
        ("advance_repayment_day", "2026-12-01", "15/02"),
        ("treasury_report_day", "2026-12-01", "20/02"),
        ("settlement_result_days", "2026-12-01", "10 ngày làm việc"),
        ("settlement_correction_days", "2026-12-01", "7 ngày làm việc"),
        ("settlement_review_days", "2026-12-01", "15 ngày"),
        ("unused_estimate_day", "2026-12-01", "31/01"),
        ("archive_months", "2026-12-01", "12"),
        ("regional_report_day", "2023-01-01", "25"),
        ("agency_file_sets", "2018-07-09", "1"),
        ("agency_file_sets", "2018-07-10", "chưa xác minh"),
        ("selection_complaint_days", "2023-01-01", "15 ngày làm việc"),
        ("selection_answer_days", "2023-01-01", "10 ngày làm việc"),
        ("selection_region_file_days", "2023-01-01", "30 ngày làm việc"),
        ("flagship_contents_min", "2018-07-09", "2"),
        ("flagship_contents_min", "2018-07-10", "2"),
        ("flagship_beneficiaries_min", "2018-07-09", "chưa xác minh"),
        ("flagship_beneficiaries_min", "2018-07-10", "2"),
        ("flagship_years_min", "2018-07-10", "2"),
        ("flagship_years_max", "2018-07-10", "3"),
    ],
)
def test_dates_and_periods_change_on_the_day_the_act_changes(key: str, day: str, shown: str) -> None:
    # when
    value = national(key, date.fromisoformat(day))
    # then
    assert value.shown() == shown


def test_caps_change_on_the_day_the_new_circular_takes_effect() -> None:
    # when
    values = [national("cap_vnd", date(2018, 5, day), activity="machinery").value for day in (10, 11)]
    # then
    assert values == [200 * MILLION, 300 * MILLION]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("department_check_days", "3 ngày làm việc"),
        ("supplement_days", "5 ngày làm việc"),
        ("base_appraisal_days", "15 ngày làm việc"),
        ("agency_check_days", "5 ngày làm việc"),
        ("group_plan_days", "20 ngày làm việc"),
        ("contract_days", "15 ngày làm việc"),
        ("acceptance_days", "10 ngày làm việc"),
        ("final_payment_days", "10 ngày làm việc"),
        ("idle_advance_days", "60 ngày"),
        ("no_contract_warning_day", "01/10"),
        ("no_acceptance_warning_day", "01/11"),
    ],
)
def test_service_levels_of_our_own_are_shown_as_proposed(key: str, shown: str) -> None:
    # when
    value = national(key)
    # then
    assert value.shown() == shown
    assert value.sentence().endswith("(đề xuất, chưa có căn cứ)")
    assert not value.firm


def test_prizes_of_typical_products_are_known_for_2014_only() -> None:
    # when
    known = [
        national("prize_vnd", OLD, activity=f"selection_{level}").value for level in ("region", "nation")
    ]
    now = national("prize_vnd", activity="selection_nation")
    # then
    assert known == [5 * MILLION, 10 * MILLION]
    assert isinstance(now, Unverified)
    assert now.proposal == 10 * MILLION


@pytest.mark.parametrize(
    ("key", "on", "kind", "papers"),
    [
        (
            "registration_documents",
            OLD,
            "single",
            f"{LETTER} cost_estimate beneficiary_request annex2_papers",
        ),
        ("registration_documents", OLD, "group", f"{LETTER} cost_estimate annex2_papers"),
        ("registration_documents", NEW, "group", "registration_letter project_list"),
        ("base_appraisal_documents", NEW, "single", "project_file cost_estimate beneficiary_request"),
        ("base_appraisal_documents", NEW, "group", "project_file cost_estimate"),
        ("base_appraisal_documents", NEW, "flagship", "flagship_sheet"),
        ("ministry_file_documents", NEW, "single", "registration_report summary_table base_appraisal_sheet"),
        (
            "minister_documents",
            NEW,
            "single",
            "submission_letter appraisal_minutes draft_decision plan_table",
        ),
        ("assignment_documents", NEW, "single", "assignment_notice approval_decision"),
        ("group_plan_documents", NEW, "group", "group_plan"),
        ("liquidation_documents", NEW, "single", "liquidation_minutes"),
        ("late_settlement_documents", NEW, "single", "acceptance_minutes payment_request"),
        (
            "force_majeure_documents",
            NEW,
            "single",
            "force_majeure_explanation acceptance_minutes original_vouchers",
        ),
        ("change_documents", NEW, "single", "adjustment_request doit_confirmation"),
        ("commitments", NEW, "single", "counterpart_commitment no_other_support_commitment"),
    ],
)
def test_each_step_asks_for_the_papers_of_its_article(key: str, on: date, kind: str, papers: str) -> None:
    # when
    value = national(key, on, project_kind=kind)
    # then
    assert value.value == tuple(papers.split())


def test_bidding_is_required_for_four_activities_and_attending_fairs_is_left_to_the_officer() -> None:
    # when
    answers = {word: national("bidding_required", activity=word).value for word in ACTIVITIES}
    # then
    required = {"fair_organise", "cluster_infra", "pollution_cluster", "media"}
    assert {word for word, value in answers.items() if value is True} == required
    assert {word for word, value in answers.items() if value is None} == {"fair_domestic", "fair_abroad"}


def test_fixed_dates_state_how_they_end_and_in_which_year() -> None:
    # given
    dates = {key: BOOK.rule(key) for key in BOOK.keys if BOOK.rule(key).unit == "month_day"}
    # when
    rules = {key: (rule.limit, rule.year) for key, rule in dates.items()}
    # then
    assert rules == {
        "unit_registration_day": ("before", -1), "registration_report_day": ("before", -1),
        "ministry_file_day": ("before", -1), "liquidation_day": ("by", 1), "treasury_advance_day": ("by", 0),
        "spending_last_day": ("by", 0), "adjustment_end_day": ("by", 1), "unused_estimate_day": ("by", 1),
        "treasury_reconciliation_day": ("by", 1), "advance_repayment_day": ("before", 1),
        "treasury_report_day": ("by", 1), "no_contract_warning_day": ("by", 0),
        "no_acceptance_warning_day": ("by", 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "kind", "who", "form"),
    [
        ("increase_support", "group", "moit_minister", "decision"),
        ("change_content", "single", "moit_minister", "decision"),
        ("extend_to_next_year", "single", "moit_minister", "decision"),
        ("add_project", "single", "moit_minister", "decision"),
        ("stop_project", "group", "moit_minister", "decision"),
        ("stop_for_violation", "single", "moit_minister", "decision"),
        ("change_place", "single", "central_agency", "decision_or_contract_amendment"),
        ("change_beneficiary", "flagship", "central_agency", "decision_or_contract_amendment"),
        ("change_cooperator", "single", "central_agency", "decision_or_contract_amendment"),
        ("change_place", "group", "department", "adjusted_plan_or_decision"),
        ("change_beneficiary", "group", "department", "adjusted_plan_or_decision"),
        ("change_cooperator", "group", "department", "adjusted_plan_or_decision"),
        ("change_time_within_year", "group", "central_agency", "decision_or_contract_amendment"),
        ("lower_support", "single", "central_agency", "decision_or_contract_amendment"),
        ("other_change", "single", "central_agency", "decision_or_contract_amendment"),
    ],
)
def test_a_change_goes_to_whom_article_11_names(change: str, kind: str, who: str, form: str) -> None:
    # when
    decider = national("change_decider", change=change, project_kind=kind)
    # then
    assert decider.value == who
    assert decider.cite is not None
    assert decider.cite.article == "Điều 11"
    assert national("change_form", change=change, project_kind=kind).value == form


def test_only_six_kinds_may_be_group_projects_since_2018_and_machinery_is_named_earlier() -> None:
    # when
    allowed = {word: national("group_project", activity=word) for word in ACTIVITIES}
    # then
    read_yes = {word for word, value in allowed.items() if value.value is True and value.grade == "read"}
    read_no = {word for word, value in allowed.items() if value.value is False and value.grade == "read"}
    assert read_yes == {
        "vocational_training", "training_course", "startup", "consulting", "fair_domestic", "machinery",
        "brand",
    }  # fmt: skip
    assert {"demo_model", "cp_pilot", "pollution_site", "cluster_infra"} <= read_no
    assert national("group_known_at_appraisal", activity="machinery").value == (
        "place",
        "beneficiary",
        "machine_type",
    )
    planned = national("group_known_at_plan", activity="machinery")
    assert planned.value == ("cooperator", "machine_parameters")
    assert national("group_known_at_appraisal", activity="brand").value == ()
    assert national("group_known_at_appraisal", OLD, activity="machinery").value == ()


def test_settlement_papers_depend_on_who_issues_the_invoice() -> None:
    # when
    plain = national("settlement_documents", invoicing="no_invoice")
    invoice = national("settlement_documents", invoicing="invoice")
    # then
    assert plain.value == ("acceptance_minutes", "settlement_form", "voucher_list", "original_vouchers")
    assert invoice.value == ("base_acceptance", "invoice_to_agency")
    assert national("settlement_documents_if_any", invoicing="no_invoice").value == (
        "payment_request", "counterpart_voucher_list",
    )  # fmt: skip
    assert national("last_liquidation_documents").value == ("liquidation_minutes", "reconciliation_form")


def test_local_money_has_only_proposed_and_unset_values() -> None:
    # given
    local = next(pack for pack in PACKS if pack.pack == "local_default")
    # when
    grades = Counter(row.grade for rule in local.rules.values() for row in rule.rows)
    approver = BOOK.resolve("approver", {"programme": "local", "province": "vinh_long"}, NEW)
    # then
    assert set(grades) == {"proposed", "unverified"}
    assert isinstance(approver, Unverified)
    assert "province_chair" in approver.note
    assert "department_director" in approver.note


def test_a_pack_of_a_province_wins_over_the_local_default() -> None:
    # given
    text = """
rule_pack: vinh_long
language: 1
version: 1
title: {vi: Vĩnh Long (dữ liệu thử), en: Vĩnh Long (invented)}
scope: {programme: local, province: vinh_long}
rules:
  approver:
    unit: text
    title: {vi: Thẩm quyền phê duyệt, en: Who approves}
    rows:
      - {value: province_chair, grade: proposed, note: invented}
"""
    own = read_pack(text, name="vinh_long.yaml", vocabulary=WORDS)
    # when
    book = RuleBook.of([*PACKS, own], WORDS)
    # then
    assert (
        book.resolve("approver", {"programme": "local", "province": "vinh_long"}, NEW).value
        == "province_chair"
    )
    assert not book.resolve("approver", {"programme": "local", "province": "ca_mau"}, NEW).verified
    assert (
        book.resolve("approver", {"programme": "national", "province": "vinh_long"}, NEW).value
        == "moit_minister"
    )


def test_every_value_has_a_source_or_says_that_it_is_a_proposal() -> None:
    # when
    rows = [(key, row) for key in BOOK.keys for _, row in BOOK.rows(key)]
    # then
    assert all(row.cite or row.grade == "proposed" for key, row in rows), "a value without a source"
    assert {row.grade for _, row in rows} <= {*GRADES, "unverified"}
    assert all((row.value is None) == (row.grade == "unverified") for _, row in rows)


def test_every_activity_belongs_to_a_content_and_every_form_of_the_circular_is_a_paper() -> None:
    # given
    contents = WORDS.dimensions["content"].words
    # when
    of = {word.word: word.of for word in WORDS.dimensions["activity"].words.values()}
    # then
    assert len(contents) == 9
    assert {name for name, content in of.items() if content not in contents} == {"contest"}
    forms = {word.form for word in WORDS.documents.values() if word.form}
    whole = {str(number) for number in range(1, 14)} - {"3", "4", "5", "8"}
    numbered = whole | {"3a", "3b", "4a", "4b", "5a", "5b", "5c", "8a", "8b"}
    assert forms == {f"Mẫu {number}" for number in numbered} | {"PL 2", "PL 4"}


def test_every_paper_asked_for_by_a_pack_is_declared_and_hashes_repeat() -> None:
    # given
    asked = {
        word
        for key in BOOK.keys if BOOK.rule(key).unit == "documents"
        for _, row in BOOK.rows(key) if isinstance(row.value, tuple)
        for word in row.value
    }  # fmt: skip
    # when
    again = RuleBook.of(*read_folder(FOLDER))
    # then
    assert asked <= set(WORDS.documents)
    assert again.hash == BOOK.hash
    assert [pack.hash for pack in again.packs] == [pack.hash for pack in BOOK.packs]


def test_resolving_a_shipped_value_takes_at_most_five_microseconds() -> None:
    # given
    asked = {
        "programme": "national",
        "activity": "machinery",
        "project_kind": "group",
        "province": "soc_trang",
    }
    # when
    BOOK.resolve("cap_vnd", asked, NEW)
    seconds = min(timeit.repeat(lambda: BOOK.resolve("cap_vnd", asked, NEW), number=2000, repeat=5)) / 2000
    # then
    assert seconds <= 5e-6


def test_the_page_on_rules_lists_every_key_and_its_example_is_a_pack() -> None:
    # given
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    # when
    pack = read_pack(example, name="docs/rules.md", vocabulary=WORDS)
    listed = {line.split("`")[1] for line in page.split("## Keys")[1].splitlines() if line.startswith("| `")}
    # then
    assert pack.rules["cap_vnd"].rows[0].value == 250 * MILLION
    assert RuleBook.of([*PACKS, pack], WORDS).keys == BOOK.keys
    assert listed == set(BOOK.keys)


DEFINITIONS = sorted(FOLDER.parent.glob("*.yaml"))


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_a_definition_speaks_the_words_of_the_packs(path: Path) -> None:
    # given
    text = path.read_text(encoding="utf-8")
    fields = plain(read(text, name=path.name)).get("fields") or {}
    # when
    keys = set(re.findall(r"\brules\.([a-z_]+)", text))
    papers = {name for name, field in fields.items() if field.get("type") == "document"}
    chosen = {
        f"{name}: {word}"
        for name, field in fields.items() if name in WORDS.dimensions and not WORDS.dimensions[name].open
        for word in field.get("choices") or () if word not in WORDS.dimensions[name].words
    }  # fmt: skip
    # then
    assert keys <= set(BOOK.keys)
    assert papers <= set(WORDS.documents)
    assert chosen == set()
