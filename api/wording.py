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


def both(zh: str, en: str) -> Wording:
    """Return a text in both languages."""
    return {"zh": zh, "en": en}


TOPICS: Mapping[str, Wording] = {
    "vaccination-record.registered.v1": both("建档", "Registered"),
    "vaccination-record.roll-changed.v1": both("在册状态变更", "Roll changed"),
    "vaccination-record.dose-administered.v1": both("接种", "Dose given"),
    "vaccination-record.dose-transcribed.v1": both("补录接种", "Dose transcribed"),
    "vaccination-record.dose-corrected.v1": both("接种记录已更正", "Dose corrected"),
    "vaccination-record.dose-entered-in-error.v1": both(
        "接种记录已作废（误录）", "Dose entered in error"
    ),
    "vaccination-record.dose-reinstated.v1": both("接种记录已恢复", "Dose reinstated"),
    "vaccination-record.contraindication-recorded.v1": both(
        "登记禁忌", "Contraindication recorded"
    ),
    "vaccination-record.contraindication-lifted.v1": both("解除禁忌", "Contraindication lifted"),
    "vaccination-record.identity-amended.v1": both("身份信息更正", "Particulars amended"),
    "vaccination-record.guardian-added.v1": both("补登监护人", "Guardian added"),
    "vaccination-record.guardian-removed.v1": both("移除监护人", "Guardian removed"),
    "vaccination-record.adverse-event-reported.v1": both(
        "报告疑似异常反应", "Suspected adverse event reported"
    ),
    "vaccination-record.adverse-event-classified.v1": both(
        "疑似异常反应已分类", "Adverse event classified"
    ),
    "vaccination-record.merged.v1": both("合并重复档案", "Duplicate merged"),
    "vaccination-record.merged-into.v1": both("并入另一档案", "Merged into another record"),
    "vaccination-record.separated.v1": both("拆分已合并档案", "Merged record separated"),
    "vaccination-record.separated-from.v1": both("从另一档案拆分", "Separated from another record"),
    "vaccination-record.told-apart.v1": both("确认非同一人", "Told apart from another person"),
    "vaccination-record.restricted.v1": both("限制处理", "Restricted"),
    "vaccination-record.restriction-lifted.v1": both("解除限制处理", "Restriction lifted"),
    "vaccination-record.shred-requested.v1": both("申请删除", "Erasure requested"),
    "vaccination-record.shred-withdrawn.v1": both("撤回删除申请", "Erasure request withdrawn"),
    "vaccination-record.shredded.v1": both("已删除", "Erased"),
    "correction.requested.v1": both("申请更正", "Correction requested"),
    "correction.verified.v1": both("更正核实", "Correction verified"),
    "correction.applied.v1": both("更正执行", "Correction applied"),
    "correction.rejected.v1": both("更正不予受理", "Correction rejected"),
    "correction.withdrawn.v1": both("更正撤回", "Correction withdrawn"),
    "certificate.claimed.v1": both("申领电子证", "Certificate claimed"),
    "certificate.granted.v1": both("授权他人使用", "Certificate granted"),
    "certificate.grant-revoked.v1": both("撤销授权", "Grant revoked"),
    "certificate.credential-issued.v1": both("签发离线凭证", "Credential issued"),
    "certificate.credential-revoked.v1": both("挂失离线凭证", "Credential revoked"),
    "certificate.released.v1": both("放弃电子证", "Certificate released"),
    "enrolment.enrolled.v1": both("入托入学登记", "Enrolled"),
    "enrolment.checked.v1": both("学校查验", "Checked by the school"),
    "enrolment.certificate-reissued.v1": both("补证", "Certificate reissued"),
    "enrolment.rechecked.v1": both("学校复查", "Rechecked by the school"),
    "enrolment.check-restated.v1": both("更正后重述查验", "Check restated after a correction"),
    "enrolment.notice-given.v1": both("发放告知书", "Notice given to the parents"),
    "visit.opened.v1": both("取号", "Visit opened"),
    "visit.registered.v1": both("就诊登记", "Visit registered"),
    "visit.vaccinated.v1": both("接种完成，开始留观", "Vaccinated, observation begins"),
    "visit.observed.v1": both("留观结束", "Observation ended"),
    "visit.left.v1": both("未接种离开", "Left without a dose"),
    "check-statement.issued.v1": both("出具查验证明", "Check statement issued"),
    "check-statement.makeup-recorded.v1": both("查验证明登记补种", "Make-up on the statement"),
    "check-statement.superseded.v1": both("查验证明已被替代", "Check statement superseded"),
    "paper-comparison.differed.v1": both("纸质证与系统不一致", "Paper and record differ"),
    "paper-comparison.settled.v1": both("纸质证与系统已核对一致", "Paper and record agree again"),
    "appointment.held.v1": both("预约占号", "Seat held"),
    "appointment.confirmed.v1": both("预约成功", "Booked"),
    "appointment.moved.v1": both("预约改期", "Booking moved"),
    "appointment.cancelled.v1": both("取消预约", "Booking cancelled"),
    "appointment.called-off.v1": both("门诊停诊，预约取消", "Called off by the site"),
    "appointment.expired.v1": both("占号超时释放", "Hold expired"),
    "appointment.missed.v1": both("爽约", "Missed"),
    "appointment.verified.v1": both("到场核验", "Arrived and verified"),
    "appointment.redeemed.v1": both("预约核销", "Booking redeemed"),
    "appointment.followed-up.v1": both("登记后续剂次", "Followed up"),
}
FIELDS: Mapping[str, Wording] = {
    "vaccine": both("疫苗", "vaccine"),
    "national_code": both("国家疫苗编码", "national code"),
    "dose_number": both("剂次", "dose number"),
    "product": both("产品名称", "product"),
    "maker": both("上市许可持有人", "maker"),
    "lot": both("批号", "lot"),
    "expires_on": both("有效期至", "expiry"),
    "occurred_on": both("接种日期", "given on"),
    "occurred_at": both("接种时刻", "given at"),
    "site": both("接种部位", "site"),
    "route": both("接种途径", "route"),
    "quantity": both("剂量", "quantity"),
    "clinic": both("接种单位", "clinic"),
    "source_system": both("来源系统", "source system"),
    "province": both("省份", "province"),
    "vaccinator": both("接种人员", "vaccinator"),
    "package_code": both("最小包装追溯码", "package code"),
    "name": both("姓名", "name"),
    "sex": both("性别", "sex"),
    "birth_date": both("出生日期", "birth date"),
    "birth_year": both("出生年份", "birth year"),
    "id_type": both("证件类型", "kind of document"),
    "id_number": both("证件号码", "document number"),
    "birth_certificate_number": both("出生医学证明编号", "birth certificate number"),
    "certificate_number": both("预防接种证号", "certificate number"),
    "household_division": both("户籍区划", "household division"),
    "residence_division": both("居住区划", "residence division"),
    "address": both("地址", "address"),
    "phone": both("电话", "telephone"),
    "status": both("在册状态", "roll"),
    "managing_organisation": both("管理单位", "managing organisation"),
    "division": both("区划", "division"),
    "record_status": both("记录状态", "status"),
}

ROLLS: Mapping[str, Wording] = {
    Roll.ACTIVE: both("在册", "active"),
    Roll.TEMPORARY: both("临时", "temporary"),
    Roll.MOVED_OUT: both("迁出", "moved out"),
    Roll.DECEASED: both("死亡", "deceased"),
    Roll.MATERNITY: both("产科建档", "in the maternity ward"),
}

VALUES: Mapping[str, Mapping[str, Wording]] = {
    "sex": {"male": both("男", "male"), "female": both("女", "female")},
    "id_type": {
        IdType.ID_CARD: both("居民身份证", "identity card"),
        IdType.HK_MACAO_TAIWAN_RESIDENCE_PERMIT: both(
            "港澳台居民居住证", "residence permit (Hong Kong, Macao, Taiwan)"
        ),
        IdType.FOREIGN_PERMANENT_RESIDENCE_CARD: both(
            "外国人永久居留身份证", "foreign permanent resident card"
        ),
        IdType.HK_MACAO_TRAVEL_PERMIT: both("港澳居民来往内地通行证", "Hong Kong, Macao permit"),
        IdType.TAIWAN_TRAVEL_PERMIT: both("台湾居民来往大陆通行证", "Taiwan permit"),
        IdType.PASSPORT: both("护照", "passport"),
    },
    "record_status": {
        "completed": both("有效", "completed"),
        "entered-in-error": both("作废（误录）", "entered in error"),
    },
    "requested_by": {
        RequestedBy.CLINIC: both("接种单位", "the clinic"),
        RequestedBy.GUARDIAN: both("监护人", "a guardian"),
    },
    "source_system": {
        SourceSystem.PROGRAMME: both("免疫规划系统", "immunization programme"),
        SourceSystem.BITE_INJURY: both("犬伤系统", "bite-injury system"),
        SourceSystem.OTHER_PROVINCE: both("外省", "another province"),
        SourceSystem.PAPER: both("纸质凭证", "paper"),
    },
}
"""What the codes of a field are called."""

STATES: Mapping[str, Wording] = {
    CorrectionState.REQUESTED: both("已申请", "requested"),
    CorrectionState.VERIFIED: both("已核实", "verified"),
    CorrectionState.APPLIED: both("已执行", "applied"),
    CorrectionState.REJECTED: both("不予受理", "rejected"),
    CorrectionState.WITHDRAWN: both("已撤回", "withdrawn"),
}
KINDS: Mapping[str, Wording] = {
    CorrectionKind.AMEND: both("更正", "amend"),
    CorrectionKind.ENTERED_IN_ERROR: both("作废（误录）", "entered in error"),
    CorrectionKind.REINSTATE: both("恢复", "reinstate"),
}
VISIT_STEPS: Mapping[str, Wording] = {
    Step.QUEUED: both("已取号", "queued"),
    Step.REGISTERED: both("已登记", "registered"),
    Step.VACCINATED: both("留观中", "under observation"),
    Step.OBSERVED: both("已完成", "finished"),
    Step.LEFT: both("未接种离开", "left without a dose"),
}
ROLES: Mapping[str, Wording] = {
    Role.CLINIC: both("接种单位", "clinic"),
    Role.SCHOOL: both("学校、托幼机构", "school"),
    Role.TOWNSHIP: both("乡镇", "township"),
    Role.COUNTY_CDC: both("县级疾控", "county CDC"),
    Role.CITY_CDC: both("市级疾控", "city CDC"),
    Role.PROVINCE_CDC: both("省级疾控", "provincial CDC"),
    Role.EDUCATION: both("教育部门", "education authority"),
    Role.REGULATOR: both("监管部门", "regulator"),
    Role.INTEGRATOR: both("省级平台", "integrator"),
    Role.GUARDIAN: both("监护人或被授权人", "a guardian or grantee"),
    Role.ADULT: both("受种者本人", "the recipient"),
    Role.OPERATOR: both("运营方", "operator"),
}
PURPOSES: Mapping[str, Wording] = {
    Purpose.CARE: both("接种服务", "care"),
    Purpose.SCHOOL_CHECK: both("入托入学查验", "school check"),
    Purpose.OVERSIGHT: both("业务管理", "oversight"),
    Purpose.OUTBREAK: both("疫情处置", "outbreak"),
    Purpose.COMPLAINT: both("投诉处理", "complaint"),
    Purpose.AUDIT: both("审计", "audit"),
    Purpose.OWN_RECORD: both("本人或被授权查阅", "own record, or granted"),
    Purpose.MAINTENANCE: both("系统维护", "maintenance"),
}
RELATIONS: Mapping[str, Wording] = {
    GrantRelation.MOTHER: both("母亲", "mother"),
    GrantRelation.FATHER: both("父亲", "father"),
    GrantRelation.GRANDMOTHER: both("祖母、外祖母", "grandmother"),
    GrantRelation.GRANDFATHER: both("祖父、外祖父", "grandfather"),
    GrantRelation.RELATIVE: both("其他亲属", "relative"),
    GrantRelation.GUARDIAN: both("监护人", "guardian"),
    GrantRelation.OTHER: both("其他", "other"),
}
"""What a grantee is to the child (C-16)."""
SCOPES: Mapping[str, Wording] = {
    Scope.VIEW: both("查看接种记录", "see the doses"),
    Scope.SHOW_CODE: both("亮码接种", "show the code"),
    Scope.BOOK: both("预约接种", "book"),
}
"""What a grantee may do (C-2)."""
VIEWS: Mapping[str, Wording] = {
    "access": both("查阅记录", "who looked"),
    "audit": both("档案审计", "audit of the record"),
    "bookings": both("预约", "bookings"),
    "candidates": both("待申领列表", "list of certificates"),
    "certificate": both("电子接种证", "certificate"),
    "corrections": both("更正", "corrections"),
    "dossier": both("证据包", "dossier"),
    "duplicates": both("重复档案核对", "duplicates"),
    "entry": both("录入", "an entry was made"),
    "history": both("离线凭证", "code to carry"),
    "lot": both("批号追踪", "doses of a lot"),
    "own-record": both("个人信息下载", "own record taken along"),
    "personal": both("个人信息", "personal values"),
    "printed": both("打印接种证", "certificate printed"),
    "record": both("接种档案", "record"),
    "register": both("查验登记表", "class register"),
    "roll": both("在册名单", "roll of a clinic"),
    "roll-up": both("查验汇总", "school checks"),
    "school-verdict": both("入学查验凭证", "verdict for a school"),
    "search": both("查找", "search"),
    "statement": both("查验证明", "check statement"),
    "timeline": both("档案经过", "timeline"),
    "visit": both("就诊", "visit"),
}
"""What was looked at, by the code in the access journal."""


def title_of(topic: str) -> Wording:
    """What happened, for people; the event's own sentence for a topic without a title."""
    known = TOPICS.get(topic)
    if known is not None:
        return known
    event = EVENTS.get(topic)
    sentence = ((event.__doc__ if event else None) or topic).partition("\n")[0]
    return both(sentence, sentence)


def roll_of(roll: str) -> Wording:
    """What a state of the roll is called."""
    return ROLLS.get(roll) or both(roll, roll)


def label_of(field: str) -> Wording:
    """What a field is called; its own name for one without a label."""
    return FIELDS.get(field) or both(field, field)


BOOKING_STATES: Mapping[str, Wording] = {
    State.HELD: both("待确认", "held"),
    State.BOOKED: both("已预约", "booked"),
    State.ARRIVED_SCANNED: both("已到场核验", "arrived"),
    State.VACCINATED: both("已接种", "vaccinated"),
    State.REDEEMED: both("已核销", "redeemed"),
    State.CANCELLED: both("已取消", "cancelled"),
    State.EXPIRED: both("已过期", "expired"),
    State.NO_SHOW: both("爽约", "missed"),
}

CONTENTS: Mapping[str, Wording] = {
    Content.HISTORY: both("接种记录凭证", "all doses"),
    Content.SCHOOL_VERDICT: both("入学查验凭证", "verdict for a school"),
}
"""What a credential shows."""

FATES: Mapping[str, Wording] = {
    Fate.IN_FORCE: both("有效", "in force"),
    Fate.EXPIRED: both("已到期", "ran out"),
    Fate.REVOKED: both("已挂失", "revoked as lost"),
    Fate.SUPERSEDED: both("更正后已换新", "replaced after a correction"),
}
"""What became of a credential."""
