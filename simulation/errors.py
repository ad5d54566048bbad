"""What a simulation refuses."""

from domain.errors import DomainError


class SimulationRefused(DomainError):
    """No province can be made of this."""

    code = "simulation-refused"
    zh = "无法按此要求生成模拟数据。"
