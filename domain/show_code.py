"""The code that is shown at a clinic (亮码): why one is refused."""

from datetime import timedelta

from domain.errors import DomainError

LIFE = timedelta(seconds=60)


class ShowCodeUnknown(DomainError):
    """This is no code of ours, or it was altered."""

    code = "show_code_unknown"
    zh = "无法识别该码，请在手机上重新亮码。"


class ShowCodeExpired(DomainError):
    """The code is older than 60 seconds, a screenshot perhaps; a fresh one is to be shown."""

    code = "show_code_expired"
    zh = "该码已超过60秒失效（截图无效），请在手机上刷新后重新出示。"


class ShowCodeUsed(DomainError):
    """The code was used already; each opens one visit."""

    code = "show_code_used"
    zh = "该码已使用过，每码只能取号一次，请在手机上刷新后重新出示。"
