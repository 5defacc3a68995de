"""Small definitions that the engine's own tests run on: invented, no law behind them."""

from __future__ import annotations

_HEAD = """
language: 1
version: 1
phases:
  writing: {vi: Soạn, en: Writing}
  deciding: {vi: Xét, en: Deciding}
  doing: {vi: Làm, en: Doing}
  ended: {vi: Xong, en: Ended}
parties:
  buyer: {kind: person, title: {vi: Người đặt, en: Buyer}}
  office:
    kind: organisation
    title: {vi: Cơ quan, en: Office}
    roles:
      clerk: {vi: Văn thư, en: Clerk}
      head: {vi: Trưởng phòng, en: Head}
      director: {vi: Giám đốc, en: Director}
"""

#: A root case with all that a case can have: votes, ladder, suspension, children, personal values.
ORDER = (
    """
definition: order
title: {vi: Đơn đặt hàng, en: Order}
series: DH
"""
    + _HEAD
    + """
fields:
  subject: {type: text, title: {vi: Nội dung, en: Subject}}
  amount_vnd: {type: money, title: {vi: Số tiền, en: Amount}}
  rate: {type: percent, title: {vi: Tỷ lệ, en: Rate}}
  pieces: {type: integer, title: {vi: Số món, en: Pieces}}
  wanted_on: {type: date, title: {vi: Ngày cần, en: Wanted on}}
  extended_to: {type: date, title: {vi: Gia hạn đến, en: Extended to}}
  urgent: {type: yes_no, title: {vi: Gấp, en: Urgent}}
  colour: {type: choice, title: {vi: Màu, en: Colour}, choices: {red: {vi: Đỏ, en: Red}, blue: {vi: Xanh, en: Blue}}}
  phone: {type: text, personal: true, title: {vi: Điện thoại, en: Phone}}
  quote: {type: document, title: {vi: Báo giá, en: Quote}}
  contract: {type: document, title: {vi: Hợp đồng, en: Contract}}
reads: [children]
summary: {title: subject, amount: amount_vnd}
start: {trigger: open, title: {vi: Lập đơn, en: Open}, by: [buyer, office.clerk], to: draft}
editable:
  - {fields: [subject, amount_vnd, rate, pieces, wanted_on, urgent, colour, phone], in: [draft], by: [buyer, office.clerk]}
  - {fields: [wanted_on], in: [doing], by: [office.head]}
children:
  part: {when_parent: {suspended: hold, resumed: go_on, stopped: drop}}
states:
  draft:
    phase: writing
    title: {vi: Đang soạn, en: Draft}
    holder: buyer
    triggers:
      submit:
        title: {vi: Trình, en: Submit}
        to: review
        by: [buyer, office.clerk]
        needs: {fields: [subject, amount_vnd]}
        tells: {office.head: submitted}
  review:
    phase: deciding
    title: {vi: Đang xét, en: Review}
    holder: office.head
    deadline:
      within: 5 wd
      source: proposed
      ladder:
        - {at: -1 wd, to: [holder]}
        - {at: 0, to: [holder]}
        - {at: 2 wd, to: [holder, office.director], log: true}
    triggers:
      approve:
        title: {vi: Duyệt, en: Approve}
        to: doing
        by: office.head
        guards: [{not_same_person_as: [open, submit]}]
        tells: {buyer: decided}
      send_back:
        title: {vi: Trả lại, en: Send back}
        to: draft
        by: office.head
        needs: {reason: true}
        return: true
  doing:
    phase: doing
    title: {vi: Đang làm, en: Doing}
    holder: office.clerk
    deadlines:
      finish: {on: wanted_on, source: proposed, ladder: [{at: -2 d, to: holder}, {at: 0, to: holder}]}
      answer: {within: 10 d, source: proposed, ladder: [{at: 0, to: holder}]}
    triggers:
      split:
        title: {vi: Chia phần, en: Split}
        to: $same
        by: office.clerk
        starts: [{definition: part, values: {label: subject}}]
      extend:
        title: {vi: Gia hạn, en: Extend}
        to: $same
        by: office.head
        needs: {reason: true, fields: [extended_to]}
        extends: answer
        extends_to: extended_to
      finish_it: {title: {vi: Hoàn thành, en: Finish}, to: done, by: office.clerk}
      all_parts_in:
        title: {vi: Đủ phần, en: All parts in}
        to: done
        when: count(children.part) > 0 && count(children.part.filter(p, p.final == null)) == 0
  suspended:
    phase: doing
    title: {vi: Tạm dừng, en: Suspended}
    holder: office.head
    pauses_clock: true
    triggers:
      resume: {title: {vi: Tiếp tục, en: Resume}, to: $previous, by: office.head}
  done: {phase: ended, title: {vi: Xong, en: Done}, final: accepted}
  stopped: {phase: ended, title: {vi: Dừng hẳn, en: Stopped}, final: stopped}
overlays:
  suspend: {title: {vi: Tạm dừng, en: Suspend}, to: suspended, by: office.head, anywhere_in: [review, doing], except: [suspended]}
  stop:
    title: {vi: Dừng hẳn, en: Stop}
    to: stopped
    by: office.head
    needs: {reason: true}
    anywhere_in: [writing, deciding, doing]
"""
)

#: A child of an order, which may have children of its own.
PART = (
    """
definition: part
title: {vi: Phần việc, en: Part}
series: PV
parent: order
"""
    + _HEAD
    + """
fields:
  label: {type: text, title: {vi: Tên, en: Label}}
  cost_vnd: {type: money, title: {vi: Chi phí, en: Cost}}
reads: [children, parent]
start: {trigger: begin, title: {vi: Mở, en: Begin}, by: office.clerk, to: open}
editable: [{fields: [label, cost_vnd], in: [open], by: office.clerk}]
children:
  piece: {when_parent: {suspended: hold, resumed: go_on, stopped: drop}, at_most: 2}
states:
  open:
    phase: doing
    title: {vi: Đang mở, en: Open}
    holder: office.clerk
    deadline: {within: 4 wd, source: proposed, ladder: [{at: 0, to: holder}]}
    triggers:
      finish:
        title: {vi: Xong, en: Finish}
        to: finished
        by: office.clerk
        require:
          - id: within_order
            that: cost_vnd <= parent.amount_vnd
            else: {vi: "Chi phí {cost_vnd} vượt {parent.amount_vnd}", en: "Cost {cost_vnd} is above {parent.amount_vnd}"}
            source: {act: Sổ tay mẫu, article: Điều 1, grade: proposed}
      hold: {title: {vi: Chờ, en: Hold}, to: waiting, by: office.head}
      drop: {title: {vi: Bỏ, en: Drop}, to: dropped, by: office.head}
  waiting:
    phase: doing
    title: {vi: Đang chờ, en: Waiting}
    holder: office.head
    pauses_clock: true
    triggers:
      go_on: {title: {vi: Làm tiếp, en: Go on}, to: $previous, by: office.head}
      drop: {title: {vi: Bỏ, en: Drop}, to: dropped, by: office.head}
  finished: {phase: ended, title: {vi: Đã xong, en: Finished}, final: accepted}
  dropped: {phase: ended, title: {vi: Đã bỏ, en: Dropped}, final: stopped}
"""
)

PIECE = (
    """
definition: piece
title: {vi: Món, en: Piece}
series: M
parent: part
"""
    + _HEAD
    + """
start: {trigger: begin, title: {vi: Mở, en: Begin}, by: office.clerk, to: open}
states:
  open:
    phase: doing
    title: {vi: Đang mở, en: Open}
    holder: office.clerk
    deadline: {within: 4 wd, source: proposed, ladder: [{at: 0, to: holder}]}
    triggers:
      finish: {title: {vi: Xong, en: Finish}, to: finished, by: office.clerk}
      hold: {title: {vi: Chờ, en: Hold}, to: waiting, by: office.head}
      drop: {title: {vi: Bỏ, en: Drop}, to: dropped, by: office.head}
  waiting:
    phase: doing
    title: {vi: Đang chờ, en: Waiting}
    holder: office.head
    pauses_clock: true
    triggers:
      go_on: {title: {vi: Làm tiếp, en: Go on}, to: $previous, by: office.head}
      drop: {title: {vi: Bỏ, en: Drop}, to: dropped, by: office.head}
  finished: {phase: ended, title: {vi: Đã xong, en: Finished}, final: accepted}
  dropped: {phase: ended, title: {vi: Đã bỏ, en: Dropped}, final: stopped}
"""
)


def ballot(approvals: str, *, voids: str = "[office.head]", by: str = "office.director") -> str:
    """A case that is decided by votes, in the way that `approvals` says."""
    return (
        """
definition: ballot
title: {vi: Biểu quyết, en: Ballot}
series: BQ
"""
        + _HEAD
        + f"""
fields:
  subject: {{type: text, title: {{vi: Nội dung, en: Subject}}}}
start: {{trigger: propose, title: {{vi: Đề nghị, en: Propose}}, by: [buyer, office.clerk], to: voting}}
editable: [{{fields: [subject], in: [voting], by: [buyer, office.clerk]}}]
states:
  voting:
    phase: deciding
    title: {{vi: Lấy ý kiến, en: Voting}}
    holder: office.director
    triggers:
      agree:
        title: {{vi: Thông qua, en: Agree}}
        to: agreed
        by: {by}
        guards: [{{not_same_person_as: [propose]}}]
        approvals: {approvals}
      again:
        title: {{vi: Lấy lại, en: Again}}
        to: $same
        by: [office.clerk, office.director]
        voids: {voids}
        return: true
  agreed:
    phase: doing
    title: {{vi: Đã thông qua, en: Agreed}}
    holder: office.clerk
    triggers:
      sign:
        title: {{vi: Ký, en: Sign}}
        to: signed
        by: [office.clerk, office.head, office.director]
        guards: [{{not_same_person_as: [agree]}}]
  signed: {{phase: ended, title: {{vi: Đã ký, en: Signed}}, final: accepted}}
"""
    )


#: A contract that is reported on each month: a repeating deadline, and a child opened each month.
CONTRACT = (
    """
definition: contract
title: {vi: Hợp đồng, en: Contract}
series: HD
"""
    + _HEAD
    + """
fields:
  subject: {type: text, title: {vi: Nội dung, en: Subject}}
reads: [children]
children:
  report: {when_parent: {stopped: drop}}
start: {trigger: open, title: {vi: Mở, en: Open}, by: [buyer, office.clerk], to: draft}
states:
  draft:
    phase: writing
    title: {vi: Đang soạn, en: Draft}
    holder: office.clerk
    triggers:
      begin: {title: {vi: Bắt đầu, en: Begin}, to: running, by: office.clerk}
  running:
    phase: doing
    title: {vi: Đang thực hiện, en: Running}
    holder: office.clerk
    deadlines:
      payment:
        monthly: {before: 25}
        source: proposed
        ladder: [{at: -3 wd, to: holder}, {at: 0, to: holder}]
    starts: [{definition: report, every: month, period_field: month}]
    triggers:
      pay: {title: {vi: Trả, en: Pay}, to: $same, by: office.clerk, meets: payment}
      finish: {title: {vi: Xong, en: Finish}, to: done, by: office.clerk}
  suspended:
    phase: doing
    title: {vi: Tạm dừng, en: Suspended}
    holder: office.head
    pauses_clock: true
    triggers:
      resume: {title: {vi: Tiếp tục, en: Resume}, to: $previous, by: office.head}
  done: {phase: ended, title: {vi: Xong, en: Done}, final: accepted}
  stopped: {phase: ended, title: {vi: Dừng, en: Stopped}, final: stopped}
overlays:
  suspend: {title: {vi: Tạm dừng, en: Suspend}, to: suspended, by: office.head, anywhere_in: [running]}
  stop: {title: {vi: Dừng, en: Stop}, to: stopped, by: office.head, anywhere_in: [doing]}
"""
)

REPORT = (
    """
definition: report
title: {vi: Báo cáo tháng, en: Monthly report}
series: BC
parent: contract
"""
    + _HEAD
    + """
fields:
  month: {type: text, title: {vi: Tháng, en: Month}}
start: {trigger: begin, title: {vi: Mở, en: Begin}, by: office.clerk, to: open}
states:
  open:
    phase: doing
    title: {vi: Đang lập, en: Open}
    holder: office.clerk
    triggers:
      file_it: {title: {vi: Nộp, en: File}, to: filed, by: office.clerk}
      drop: {title: {vi: Bỏ, en: Drop}, to: dropped, by: office.head}
  filed: {phase: ended, title: {vi: Đã nộp, en: Filed}, final: accepted}
  dropped: {phase: ended, title: {vi: Đã bỏ, en: Dropped}, final: stopped}
"""
)

#: One fire that lacks one of each kind of thing.
STRICT = (
    """
definition: strict
title: {vi: Hồ sơ chặt, en: Strict}
series: HC
"""
    + _HEAD
    + """
fields:
  amount_vnd: {type: money, title: {vi: Số tiền, en: Amount}, source: {act: Sổ tay mẫu, article: Điều 2, grade: secondary}}
  subject: {type: text, title: {vi: Nội dung, en: Subject}}
  permit: {type: document, title: {vi: Giấy phép, en: Permit}, source: {act: Sổ tay mẫu, article: Điều 3, grade: inferred}}
  plan_paper: {type: document, title: {vi: Kế hoạch, en: Plan}}
children:
  errand: {when_parent: {stopped: drop}}
reads: [children]
start: {trigger: open, title: {vi: Lập, en: Open}, by: [buyer, office.clerk], to: open_now}
editable: [{fields: [amount_vnd, subject], in: [open_now], by: [buyer, office.clerk]}]
states:
  open_now:
    phase: deciding
    title: {vi: Đang mở, en: Open}
    holder: office.clerk
    triggers:
      give: {title: {vi: Giao việc, en: Give}, to: $same, by: office.clerk, starts: [{definition: errand}]}
      close:
        title: {vi: Kết thúc, en: Close}
        to: closed
        by: office.head
        needs: {reason: true, fields: [amount_vnd], documents: [permit, rules.papers]}
        require:
          - id: worth_it
            that: count(children.errand) > 1
            else: {vi: "Cần hơn một việc", en: "More than one errand is needed"}
            source: rules.least
        guards: [{children_all_in: {definition: errand, states: [finished]}}]
        approvals: {of: [office.head, office.director], need: all}
  closed: {phase: ended, title: {vi: Đã đóng, en: Closed}, final: accepted}
  stopped: {phase: ended, title: {vi: Dừng, en: Stopped}, final: stopped}
overlays:
  stop: {title: {vi: Dừng, en: Stop}, to: stopped, by: office.head, anywhere_in: [deciding]}
"""
)

ERRAND = (
    """
definition: errand
title: {vi: Việc, en: Errand}
series: V
parent: strict
"""
    + _HEAD
    + """
start: {trigger: begin, title: {vi: Mở, en: Begin}, by: office.clerk, to: open}
states:
  open:
    phase: doing
    title: {vi: Đang mở, en: Open}
    holder: office.clerk
    triggers:
      finish: {title: {vi: Xong, en: Finish}, to: finished, by: office.clerk}
      drop: {title: {vi: Bỏ, en: Drop}, to: dropped, by: office.head}
  finished: {phase: ended, title: {vi: Đã xong, en: Finished}, final: accepted}
  dropped: {phase: ended, title: {vi: Đã bỏ, en: Dropped}, final: stopped}
"""
)

#: All shapes of life together.
FAMILY_AND_MORE = (
    ORDER,
    PART,
    PIECE,
    CONTRACT,
    REPORT,
    ballot("{of: [office.clerk, office.head, office.director], need: 2, veto: true}"),
)
