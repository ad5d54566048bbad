"""Where a certificate may be claimed (C-11)."""

from domain.certificate_rules.rules import CertificateRules, Channel
from domain.errors import DomainError, shown


class ChannelNotOffered(DomainError):
    """Certificates are not claimed by this channel; use the platform's app or mini-programme."""

    code = "channel_not_offered"
    zh = "不支持该申领渠道，请使用“苏服办”APP或支付宝小程序。"


def check_channel(name: str, rules: CertificateRules) -> Channel:
    """Return the channel of a name.

    Raises:
        ChannelNotOffered: When the rules name none such.
    """
    for channel in rules.channels:
        if name == channel.code or name in channel.aliases:
            return channel
    raise ChannelNotOffered(channel=shown(name), offered=[one.code for one in rules.channels])
