"""What is wrong with a request before any command sees it."""

from collections.abc import Mapping
from typing import Any, ClassVar


class HttpError(Exception):
    """The request cannot be taken."""

    code: ClassVar[str] = "bad-request"
    zh: ClassVar[str] = "请求无法处理。"
    status: ClassVar[int] = 400

    def __init__(self, headers: Mapping[str, str] | None = None, **facts: Any) -> None:
        super().__init__(self.sentence())
        self.headers = dict(headers or {})
        self.facts = facts

    @classmethod
    def sentence(cls) -> str:
        """The English sentence: the class docstring's first line."""
        return (cls.__doc__ or cls.code).partition("\n")[0]


class MalformedJson(HttpError):
    """The body is not JSON of the strict kind: UTF-8, no duplicate names, no fractions."""

    code = "malformed-json"
    zh = "请求体不是合格的 JSON。"


class MalformedBody(HttpError):
    """The body does not have the members that this address takes."""

    code = "malformed-body"
    zh = "请求体的数据项不符合该地址的要求。"
    status = 422


class FeedUnavailable(HttpError):
    """NATS does not answer; try again."""

    code = "feed-unavailable"
    zh = "NATS 暂不可用，请稍后重试。"
    status = 503


class BodyTooLarge(HttpError):
    """The body is larger than this address takes."""

    code = "body-too-large"
    zh = "请求体过大。"
    status = 413


class AskedTooOften(HttpError):
    """This was asked too often; come again when `Retry-After` says."""

    code = "asked-too-often"
    zh = "查询过于频繁，请按 Retry-After 稍后再试。"
    status = 429


class TooManyLines(HttpError):
    """The body has more lines than this address takes."""

    code = "too-many-lines"
    zh = "请求体行数过多。"
    status = 413


class BodyTooSlow(HttpError):
    """The body did not arrive in time."""

    code = "body-too-slow"
    zh = "请求体未能及时送达。"
    status = 408


class NestedTooDeep(HttpError):
    """The body is nested deeper than 32 levels."""

    code = "nested-too-deep"
    zh = "请求体嵌套过深。"


class UnsupportedMediaType(HttpError):
    """The body must be of the media type that this address takes, not encoded any further."""

    code = "unsupported-media-type"
    zh = "请求体须为该地址所要求的媒体类型，且不得压缩。"
    status = 415


class IdempotencyKeyMissing(HttpError):
    """A write needs an Idempotency-Key header holding a UUID."""

    code = "idempotency-key-missing"
    zh = "写入请求须带 Idempotency-Key（UUID）。"


class PreconditionRequired(HttpError):
    """A write to an existing stream needs an If-Match header with its version."""

    code = "precondition-required"
    zh = "更改已有记录须带 If-Match。"
    status = 428


class PreconditionFailed(HttpError):
    """The If-Match header does not name the stream's current version."""

    code = "precondition-failed"
    zh = "If-Match 与当前版本不符。"
    status = 412


class AddressUnknown(HttpError):
    """There is no such thing, or the caller may not know of it."""

    code = "not-found"
    zh = "未找到，或您无权查看。"
    status = 404


class SealingKeyMissing(HttpError):
    """Personal values are answered sealed here, and the caller's organisation has no key."""

    code = "sealing-key-missing"
    zh = "本系统只加密返回个人信息，而贵机构尚未登记公钥。"
    status = 403


class NoCode(HttpError):
    """The credential is too long for one code that a telephone reads; take it as a file."""

    code = "no-code"
    zh = "该凭证内容过多，无法生成可扫描的二维码，请下载文件。"
    status = 406


class Rushed(HttpError):
    """Too many people book at this moment; nothing was done, ask again a little later."""

    code = "rushed"
    zh = "当前预约人数过多，本次未受理，请稍后再试。"
    status = 429


class MethodNotAllowed(HttpError):
    """This address does not take that method."""

    code = "method-not-allowed"
    zh = "该地址不支持此方法。"
    status = 405


class MalformedParameter(HttpError):
    """A parameter in the address does not have the required form."""

    code = "malformed-parameter"
    zh = "地址参数格式不正确。"
    status = 422


class NotYetVisible(HttpError):
    """The view has not reached the position asked for; ask again."""

    code = "not-yet-visible"
    zh = "视图尚未更新到所要求的位置，请稍后再试。"
    status = 503


class LoopbackOnly(HttpError):
    """Development tokens are given to callers on this machine only."""

    code = "loopback-only"
    zh = "开发用令牌只发给本机的调用者。"
    status = 403


class ForeignForm(HttpError):
    """A form must be sent by a page of this server."""

    code = "foreign-form"
    zh = "表单须由本站页面提交。"
    status = 403


class MalformedForm(HttpError):
    """A form has too many fields, or one of them twice."""

    code = "malformed-form"
    zh = "表单格式不正确。"
    status = 422
