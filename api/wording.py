"""What kinds of entries, fields and steps are called, in both languages."""

from collections.abc import Mapping

from commands.access import Purpose
from commands.credential_history import Fate
from commands.principal import Role
from domain.booking.lifecycle import State
from domain.correction_events import CorrectionKind, CorrectionState, RequestedBy
from domain.credential import Content
from domain.grant import GrantRelation, Scope
from domain.private import IdType
from domain.roll import Roll
from domain.topics import EVENTS
from domain.visit import Step
from domain.vocabulary import SourceSystem

Wording = Mapping[str, str]
"""A text by language, `zh` and `en`."""


def _both(zh: str, en: str) -> Wording:
    return {"zh": zh, "en": en}


TOPICS: Mapping[str, Wording] = {
    "vaccination-record.registered.v1": _both("建档", "Registered"),
    "vaccination-record.roll-changed.v1": _both("在册状态变更", "Roll changed"),
    "vaccination-record.dose-administered.v1": _both("接种", "Dose given"),
    "vaccination-record.dose-transcribed.v1": _both("补录接种", "Dose transcribed"),
    "vaccination-record.dose-corrected.v1": _both("接种记录已更正", "Dose corrected"),
    "vaccination-record.dose-entered-in-error.v1": _both(
        "接种记录已作废（误录）", "Dose entered in error"
    ),
    "vaccination-record.dose-reinstated.v1": _both("接种记录已恢复", "Dose reinstated"),
    "vaccination-record.contraindication-recorded.v1": _both(
        "登记禁忌", "Contraindication recorded"
    ),
    "vaccination-record.contraindication-lifted.v1": _both("解除禁忌", "Contraindication lifted"),
    "vaccination-record.identity-amended.v1": _both("身份信息更正", "Particulars amended"),
    "vaccination-record.guardian-added.v1": _both("补登监护人", "Guardian added"),
    "vaccination-record.guardian-removed.v1": _both("移除监护人", "Guardian removed"),
    "vaccination-record.adverse-event-reported.v1": _both(
        "报告疑似异常反应", "Suspected adverse event reported"
    ),
    "vaccination-record.adverse-event-classified.v1": _both(
        "疑似异常反应已分类", "Adverse event classified"
    ),
    "vaccination-record.merged.v1": _both("合并重复档案", "Duplicate merged"),
    "vaccination-record.merged-into.v1": _both("并入另一档案", "Merged into another record"),
    "vaccination-record.separated.v1": _both("拆分已合并档案", "Merged record separated"),
    "vaccination-record.separated-from.v1": _both(
        "从另一档案拆分", "Separated from another record"
    ),
    "vaccination-record.told-apart.v1": _both("确认非同一人", "Told apart from another person"),
    "vaccination-record.restricted.v1": _both("限制处理", "Restricted"),
    "vaccination-record.restriction-lifted.v1": _both("解除限制处理", "Restriction lifted"),
    "vaccination-record.shred-requested.v1": _both("申请删除", "Erasure requested"),
    "vaccination-record.shred-withdrawn.v1": _both("撤回删除申请", "Erasure request withdrawn"),
    "vaccination-record.shredded.v1": _both("已删除", "Erased"),
    "correction.requested.v1": _both("申请更正", "Correction requested"),
    "correction.verified.v1": _both("更正核实", "Correction verified"),
    "correction.applied.v1": _both("更正执行", "Correction applied"),
    "correction.rejected.v1": _both("更正不予受理", "Correction rejected"),
    "correction.withdrawn.v1": _both("更正撤回", "Correction withdrawn"),
    "certificate.claimed.v1": _both("申领电子证", "Certificate claimed"),
    "certificate.granted.v1": _both("授权他人使用", "Certificate granted"),
    "certificate.grant-revoked.v1": _both("撤销授权", "Grant revoked"),
    "certificate.credential-issued.v1": _both("签发离线凭证", "Credential issued"),
    "certificate.credential-revoked.v1": _both("挂失离线凭证", "Credential revoked"),
    "certificate.released.v1": _both("放弃电子证", "Certificate released"),
    "enrolment.enrolled.v1": _both("入托入学登记", "Enrolled"),
    "enrolment.checked.v1": _both("学校查验", "Checked by the school"),
    "enrolment.certificate-reissued.v1": _both("补证", "Certificate reissued"),
    "enrolment.rechecked.v1": _both("学校复查", "Rechecked by the school"),
    "enrolment.check-restated.v1": _both("更正后重述查验", "Check restated after a correction"),
    "enrolment.notice-given.v1": _both("发放告知书", "Notice given to the parents"),
    "visit.opened.v1": _both("取号", "Visit opened"),
    "visit.registered.v1": _both("就诊登记", "Visit registered"),
    "visit.vaccinated.v1": _both("接种完成，开始留观", "Vaccinated, observation begins"),
    "visit.observed.v1": _both("留观结束", "Observation ended"),
    "visit.left.v1": _both("未接种离开", "Left without a dose"),
    "check-statement.issued.v1": _both("出具查验证明", "Check statement issued"),
    "check-statement.makeup-recorded.v1": _both("查验证明登记补种", "Make-up on the statement"),
    "check-statement.superseded.v1": _both("查验证明已被替代", "Check statement superseded"),
    "paper-comparison.differed.v1": _both("纸质证与系统不一致", "Paper and record differ"),
    "paper-comparison.settled.v1": _both("纸质证与系统已核对一致", "Paper and record agree again"),
    "appointment.held.v1": _both("预约占号", "Seat held"),
    "appointment.confirmed.v1": _both("预约成功", "Booked"),
    "appointment.moved.v1": _both("预约改期", "Booking moved"),
    "appointment.cancelled.v1": _both("取消预约", "Booking cancelled"),
    "appointment.called-off.v1": _both("门诊停诊，预约取消", "Called off by the site"),
    "appointment.expired.v1": _both("占号超时释放", "Hold expired"),
    "appointment.missed.v1": _both("爽约", "Missed"),
    "appointment.verified.v1": _both("到场核验", "Arrived and verified"),
    "appointment.redeemed.v1": _both("预约核销", "Booking redeemed"),
    "appointment.followed-up.v1": _both("登记后续剂次", "Followed up"),
}
FIELDS: Mapping[str, Wording] = {
    "vaccine": _both("疫苗", "vaccine"),
    "national_code": _both("国家疫苗编码", "national code"),
    "dose_number": _both("剂次", "dose number"),
    "product": _both("产品名称", "product"),
    "maker": _both("上市许可持有人", "maker"),
    "lot": _both("批号", "lot"),
    "expires_on": _both("有效期至", "expiry"),
    "occurred_on": _both("接种日期", "given on"),
    "occurred_at": _both("接种时刻", "given at"),
    "site": _both("接种部位", "site"),
    "route": _both("接种途径", "route"),
    "quantity": _both("剂量", "quantity"),
    "clinic": _both("接种单位", "clinic"),
    "source_system": _both("来源系统", "source system"),
    "province": _both("省份", "province"),
    "vaccinator": _both("接种人员", "vaccinator"),
    "package_code": _both("最小包装追溯码", "package code"),
    "name": _both("姓名", "name"),
    "sex": _both("性别", "sex"),
    "birth_date": _both("出生日期", "birth date"),
    "birth_year": _both("出生年份", "birth year"),
    "id_type": _both("证件类型", "kind of document"),
    "id_number": _both("证件号码", "document number"),
    "birth_certificate_number": _both("出生医学证明编号", "birth certificate number"),
    "certificate_number": _both("预防接种证号", "certificate number"),
    "household_division": _both("户籍区划", "household division"),
    "residence_division": _both("居住区划", "residence division"),
    "address": _both("地址", "address"),
    "phone": _both("电话", "telephone"),
    "status": _both("在册状态", "roll"),
    "managing_organisation": _both("管理单位", "managing organisation"),
    "division": _both("区划", "division"),
    "record_status": _both("记录状态", "status"),
}

ROLLS: Mapping[str, Wording] = {
    Roll.ACTIVE: _both("在册", "active"),
    Roll.TEMPORARY: _both("临时", "temporary"),
    Roll.MOVED_OUT: _both("迁出", "moved out"),
    Roll.DECEASED: _both("死亡", "deceased"),
    Roll.MATERNITY: _both("产科建档", "in the maternity ward"),
}

REASONS: Mapping[str, Wording] = {
    "typing-error": _both("录入错误", "typing error"),
    "wrong-person": _both("录错人", "wrong person"),
    "wrong-lot": _both("批号有误", "wrong lot"),
    "wrong-expiry": _both("有效期有误", "wrong expiry"),
    "wrong-vaccinator": _both("接种人员有误", "wrong vaccinator"),
    "entered-twice": _both("重复录入", "entered twice"),
    "asked-twice": _both("重复申请", "asked for twice"),
    "paper-differs": _both("与纸质凭证不符", "paper differs"),
    "source-changed": _both("与导入数据不一致", "an import says otherwise"),
    "recalled": _both("批号召回", "lot recalled"),
    "strike-was-wrong": _both("作废有误", "struck out by mistake"),
    "requested-in-error": _both("申请有误", "requested in error"),
    "not-confirmed": _both("未能核实", "not confirmed"),
    "evidence-insufficient": _both("证据不足", "evidence insufficient"),
    "same-person": _both("同一人", "same person"),
    "another-person": _both("非同一人", "another person"),
    "twins": _both("双胞胎", "twins"),
    "guardianship-ended": _both("监护关系终止", "guardianship ended"),
    "number-known-now": _both("补登证件号码", "number known now"),
    "new-number": _both("证件号码变更", "new number"),
    "consent-withdrawn": _both("撤回同意", "consent withdrawn"),
    "matter-settled": _both("事项已处理", "matter settled"),
    "legal-order": _both("依法要求", "legal order"),
    "record-merged": _both("档案已合并", "record merged"),
    "other": _both("其他", "other"),
}
"""Reasons that pages offer and commands give; whoever signs may state another code."""
VALUES: Mapping[str, Mapping[str, Wording]] = {
    "sex": {"male": _both("男", "male"), "female": _both("女", "female")},
    "id_type": {
        IdType.ID_CARD: _both("居民身份证", "identity card"),
        IdType.HK_MACAO_TAIWAN_RESIDENCE_PERMIT: _both(
            "港澳台居民居住证", "residence permit (Hong Kong, Macao, Taiwan)"
        ),
        IdType.FOREIGN_PERMANENT_RESIDENCE_CARD: _both(
            "外国人永久居留身份证", "foreign permanent resident card"
        ),
        IdType.HK_MACAO_TRAVEL_PERMIT: _both("港澳居民来往内地通行证", "Hong Kong, Macao permit"),
        IdType.TAIWAN_TRAVEL_PERMIT: _both("台湾居民来往大陆通行证", "Taiwan permit"),
        IdType.PASSPORT: _both("护照", "passport"),
    },
    "record_status": {
        "completed": _both("有效", "completed"),
        "entered-in-error": _both("作废（误录）", "entered in error"),
    },
    "requested_by": {
        RequestedBy.CLINIC: _both("接种单位", "the clinic"),
        RequestedBy.GUARDIAN: _both("监护人", "a guardian"),
    },
    "source_system": {
        SourceSystem.PROGRAMME: _both("免疫规划系统", "immunization programme"),
        SourceSystem.BITE_INJURY: _both("犬伤系统", "bite-injury system"),
        SourceSystem.OTHER_PROVINCE: _both("外省", "another province"),
        SourceSystem.PAPER: _both("纸质凭证", "paper"),
    },
}
"""What the codes of a field are called."""

STATES: Mapping[str, Wording] = {
    CorrectionState.REQUESTED: _both("已申请", "requested"),
    CorrectionState.VERIFIED: _both("已核实", "verified"),
    CorrectionState.APPLIED: _both("已执行", "applied"),
    CorrectionState.REJECTED: _both("不予受理", "rejected"),
    CorrectionState.WITHDRAWN: _both("已撤回", "withdrawn"),
}
KINDS: Mapping[str, Wording] = {
    CorrectionKind.AMEND: _both("更正", "amend"),
    CorrectionKind.ENTERED_IN_ERROR: _both("作废（误录）", "entered in error"),
    CorrectionKind.REINSTATE: _both("恢复", "reinstate"),
}
VISIT_STEPS: Mapping[str, Wording] = {
    Step.QUEUED: _both("已取号", "queued"),
    Step.REGISTERED: _both("已登记", "registered"),
    Step.VACCINATED: _both("留观中", "under observation"),
    Step.OBSERVED: _both("已完成", "finished"),
    Step.LEFT: _both("未接种离开", "left without a dose"),
}
LEAVING: Mapping[str, Wording] = {
    "contraindication": _both("有禁忌或身体不适", "contraindicated, or unwell"),
    "not-due": _both("未到接种时间", "not due yet"),
    "out-of-stock": _both("疫苗缺货", "out of stock"),
    "declined": _both("本人或监护人决定不接种", "declined"),
    "other": _both("其他", "other"),
}
"""Why somebody left without a dose."""
ROLES: Mapping[str, Wording] = {
    Role.CLINIC: _both("接种单位", "clinic"),
    Role.SCHOOL: _both("学校、托幼机构", "school"),
    Role.TOWNSHIP: _both("乡镇", "township"),
    Role.COUNTY_CDC: _both("县级疾控", "county CDC"),
    Role.CITY_CDC: _both("市级疾控", "city CDC"),
    Role.PROVINCE_CDC: _both("省级疾控", "provincial CDC"),
    Role.EDUCATION: _both("教育部门", "education authority"),
    Role.REGULATOR: _both("监管部门", "regulator"),
    Role.INTEGRATOR: _both("省级平台", "integrator"),
    Role.GUARDIAN: _both("监护人或被授权人", "a guardian or grantee"),
    Role.ADULT: _both("受种者本人", "the recipient"),
    Role.OPERATOR: _both("运营方", "operator"),
}
PURPOSES: Mapping[str, Wording] = {
    Purpose.CARE: _both("接种服务", "care"),
    Purpose.SCHOOL_CHECK: _both("入托入学查验", "school check"),
    Purpose.OVERSIGHT: _both("业务管理", "oversight"),
    Purpose.OUTBREAK: _both("疫情处置", "outbreak"),
    Purpose.COMPLAINT: _both("投诉处理", "complaint"),
    Purpose.AUDIT: _both("审计", "audit"),
    Purpose.OWN_RECORD: _both("本人或被授权查阅", "own record, or granted"),
    Purpose.MAINTENANCE: _both("系统维护", "maintenance"),
}
RELATIONS: Mapping[str, Wording] = {
    GrantRelation.MOTHER: _both("母亲", "mother"),
    GrantRelation.FATHER: _both("父亲", "father"),
    GrantRelation.GRANDMOTHER: _both("祖母、外祖母", "grandmother"),
    GrantRelation.GRANDFATHER: _both("祖父、外祖父", "grandfather"),
    GrantRelation.RELATIVE: _both("其他亲属", "relative"),
    GrantRelation.GUARDIAN: _both("监护人", "guardian"),
    GrantRelation.OTHER: _both("其他", "other"),
}
"""What a grantee is to the child (C-16)."""
SCOPES: Mapping[str, Wording] = {
    Scope.VIEW: _both("查看接种记录", "see the doses"),
    Scope.SHOW_CODE: _both("亮码接种", "show the code"),
    Scope.BOOK: _both("预约接种", "book"),
}
"""What a grantee may do (C-2)."""
VIEWS: Mapping[str, Wording] = {
    "access": _both("查阅记录", "who looked"),
    "audit": _both("档案审计", "audit of the record"),
    "bookings": _both("预约", "bookings"),
    "candidates": _both("待申领列表", "list of certificates"),
    "certificate": _both("电子接种证", "certificate"),
    "corrections": _both("更正", "corrections"),
    "dossier": _both("证据包", "dossier"),
    "duplicates": _both("重复档案核对", "duplicates"),
    "entry": _both("录入", "an entry was made"),
    "history": _both("离线凭证", "code to carry"),
    "lot": _both("批号追踪", "doses of a lot"),
    "own-record": _both("个人信息下载", "own record taken along"),
    "personal": _both("个人信息", "personal values"),
    "printed": _both("打印接种证", "certificate printed"),
    "record": _both("接种档案", "record"),
    "register": _both("查验登记表", "class register"),
    "roll": _both("在册名单", "roll of a clinic"),
    "roll-up": _both("查验汇总", "school checks"),
    "school-verdict": _both("入学查验凭证", "verdict for a school"),
    "search": _both("查找", "search"),
    "statement": _both("查验证明", "check statement"),
    "timeline": _both("档案经过", "timeline"),
    "visit": _both("就诊", "visit"),
}
"""What was looked at, by the code in the access journal."""


def title_of(topic: str) -> Wording:
    """What happened, for people; the event's own sentence for a topic without a title."""
    known = TOPICS.get(topic)
    if known is not None:
        return known
    event = EVENTS.get(topic)
    sentence = ((event.__doc__ if event else None) or topic).partition("\n")[0]
    return _both(sentence, sentence)


def roll_of(roll: str) -> Wording:
    """What a state of the roll is called."""
    return ROLLS.get(roll) or _both(roll, roll)


def label_of(field: str) -> Wording:
    """What a field is called; its own name for one without a label."""
    return FIELDS.get(field) or _both(field, field)


BOOKING_STATES: Mapping[str, Wording] = {
    State.HELD: _both("待确认", "held"),
    State.BOOKED: _both("已预约", "booked"),
    State.ARRIVED_SCANNED: _both("已到场核验", "arrived"),
    State.VACCINATED: _both("已接种", "vaccinated"),
    State.REDEEMED: _both("已核销", "redeemed"),
    State.CANCELLED: _both("已取消", "cancelled"),
    State.EXPIRED: _both("已过期", "expired"),
    State.NO_SHOW: _both("爽约", "missed"),
}

CONTENTS: Mapping[str, Wording] = {
    Content.HISTORY: _both("接种记录凭证", "all doses"),
    Content.SCHOOL_VERDICT: _both("入学查验凭证", "verdict for a school"),
}
"""What a credential shows."""

FATES: Mapping[str, Wording] = {
    Fate.IN_FORCE: _both("有效", "in force"),
    Fate.EXPIRED: _both("已到期", "ran out"),
    Fate.REVOKED: _both("已挂失", "revoked as lost"),
    Fate.SUPERSEDED: _both("更正后已换新", "replaced after a correction"),
}
"""What became of a credential."""
