"""What can stop a write before the domain is asked."""

from typing import Any, ClassVar


class CommandError(Exception):
    """The write was refused."""

    code: ClassVar[str] = "refused"
    zh: ClassVar[str] = "写入被拒绝。"

    def __init__(self, **facts: Any) -> None:
        super().__init__(type(self).__doc__)
        self.facts = facts


class MalformedStatement(CommandError):
    """The signed statement or its private part does not have the required form."""

    code = "malformed-statement"
    zh = "签名内容或隐私部分的格式不正确。"


class WrongOrigin(CommandError):
    """The statement was signed for another log."""

    code = "wrong-origin"
    zh = "该签名内容属于另一个日志。"


class WrongTopic(CommandError):
    """The statement's topic does not belong to this address."""

    code = "wrong-topic"
    zh = "该事件主题不能提交到此地址。"


class WrongStream(CommandError):
    """The statement's stream is not the one in the address."""

    code = "wrong-stream"
    zh = "签名内容中的事件流与地址不符。"


class KeyHeaderMismatch(CommandError):
    """The Idempotency-Key header differs from the key that was signed."""

    code = "idempotency-key-mismatch"
    zh = "Idempotency-Key 与签名中的键不一致。"


class SignatureRefused(CommandError):
    """The signature does not verify."""

    code = "signature-refused"
    zh = "签名验证失败。"


class KeyUnknown(CommandError):
    """The signing key is not a valid key of the caller's organisation."""

    code = "key-unknown"
    zh = "签名密钥不是该机构的有效密钥。"


class CommitmentMismatch(CommandError):
    """The private part does not open the commitment that was signed."""

    code = "commitment-mismatch"
    zh = "隐私部分与签名承诺不符。"


class Forbidden(CommandError):
    """The caller may not do this."""

    code = "forbidden"
    zh = "无权进行此操作。"


class NotFound(CommandError):
    """There is no such thing, or the caller may not know of it."""

    code = "not-found"
    zh = "未找到，或您无权查看。"


class Erased(CommandError):
    """The personal data that this command needs has been erased."""

    code = "erased"
    zh = "此操作所需的个人信息已删除。"


class Restricted(CommandError):
    """The record is restricted: it is stored, and neither shown nor changed."""

    code = "restricted"
    zh = "该档案已限制处理：仅存储，不展示，不更改。"


class LogKeyRefused(CommandError):
    """The log's keys do not allow this: `reason` says which rule it breaks."""

    code = "log-key-refused"
    zh = "日志密钥的轮换规则不允许此操作。"


class KeyRefused(CommandError):
    """The public key is weak or malformed, or the proof that its private half is held fails."""

    code = "key-refused"
    zh = "公钥不合格，或未能证明持有对应私钥。"
