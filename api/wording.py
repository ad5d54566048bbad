"""What kinds of entries, fields and steps are called, in both languages."""

from collections.abc import Mapping

from domain.correction import CorrectionKind, CorrectionState
from domain.registration import Roll
from domain.topics import EVENTS

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
    "certificate.released.v1": _both("放弃电子证", "Certificate released"),
    "enrolment.enrolled.v1": _both("入托入学登记", "Enrolled"),
    "enrolment.checked.v1": _both("学校查验", "Checked by the school"),
    "enrolment.certificate-reissued.v1": _both("补证", "Certificate reissued"),
    "enrolment.rechecked.v1": _both("学校复查", "Rechecked by the school"),
    "check-statement.issued.v1": _both("出具查验证明", "Check statement issued"),
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
