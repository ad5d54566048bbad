"""What reasons are called, by their codes."""

from collections.abc import Mapping

from api.wording import Wording, both
from domain.organisation import RevocationReason
from domain.protection import ErasureGround, LiftReason, RestrictionReason

LEAVING: Mapping[str, Wording] = {
    "contraindication": both("有禁忌或身体不适", "contraindicated, or unwell"),
    "not-due": both("未到接种时间", "not due yet"),
    "out-of-stock": both("疫苗缺货", "out of stock"),
    "declined": both("本人或监护人决定不接种", "declined"),
    "other": both("其他", "other"),
}
"""Why somebody left without a dose."""

REASONS: Mapping[str, Wording] = {
    "typing-error": both("录入错误", "typing error"),
    "wrong-person": both("录错人", "wrong person"),
    "wrong-lot": both("批号有误", "wrong lot"),
    "wrong-date": both("接种日期有误", "wrong date"),
    "wrong-maker": both("生产企业有误", "wrong maker"),
    "wrong-vaccine": both("疫苗有误", "wrong vaccine"),
    "wrong-site": both("接种部位有误", "wrong site"),
    "wrong-quantity": both("剂量有误", "wrong quantity"),
    "wrong-package-code": both("追溯码有误", "wrong package code"),
    "duplicate-entry": both("重复录入", "entered twice"),
    "never-given": both("未实际接种", "never given"),
    "wrong-expiry": both("有效期有误", "wrong expiry"),
    "wrong-vaccinator": both("接种人员有误", "wrong vaccinator"),
    "entered-twice": both("重复录入", "entered twice"),
    "asked-twice": both("重复申请", "asked for twice"),
    "paper-differs": both("与纸质凭证不符", "paper differs"),
    "source-changed": both("与导入数据不一致", "an import says otherwise"),
    "recalled": both("批号召回", "lot recalled"),
    "strike-was-wrong": both("作废有误", "struck out by mistake"),
    "requested-in-error": both("申请有误", "requested in error"),
    "not-confirmed": both("未能核实", "not confirmed"),
    "evidence-contradicts": both("与凭据不符", "evidence says otherwise"),
    "evidence-insufficient": both("证据不足", "evidence insufficient"),
    "same-person": both("同一人", "same person"),
    "another-person": both("非同一人", "another person"),
    "twins": both("双胞胎", "twins"),
    "guardianship-ended": both("监护关系终止", "guardianship ended"),
    "number-known-now": both("补登证件号码", "number known now"),
    "new-number": both("证件号码变更", "new number"),
    "consent-withdrawn": both("撤回同意", "consent withdrawn"),
    "matter-settled": both("事项已处理", "matter settled"),
    "legal-order": both("依法要求", "legal order"),
    "record-merged": both("档案已合并", "record merged"),
    "came-of-age": both("已成年", "came of age"),
    "holder-request": both("本人申请", "the holder asked"),
    RestrictionReason.ERASURE_REQUESTED: both("申请删除", "erasure requested"),
    RestrictionReason.ACCURACY_DISPUTED: both("对准确性有异议", "accuracy disputed"),
    RestrictionReason.PERSONAL_SAFETY: both("人身安全", "personal safety"),
    LiftReason.REQUEST_WITHDRAWN: both("申请已撤回", "request withdrawn"),
    LiftReason.ORDER_ENDED: both("法定要求已解除", "order ended"),
    LiftReason.RESTRICTED_IN_ERROR: both("限制有误", "restricted by mistake"),
    ErasureGround.RETENTION_ENDED: both("保存期满", "retention ended"),
    ErasureGround.UNLAWFUL_PROCESSING: both("违法处理", "unlawful processing"),
    RevocationReason.LOST: both("遗失", "lost"),
    RevocationReason.COMPROMISED: both("泄露", "compromised"),
    RevocationReason.SUPERSEDED: both("已更换", "superseded"),
    RevocationReason.CLOSED: both("单位关闭", "closed"),
    **LEAVING,
}
"""Every reason that the domain names and pages offer; whoever signs may state another code."""
