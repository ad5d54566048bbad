"""What a projection refuses."""


class ProjectionError(Exception):
    """A projection cannot go on.

    Attributes:
        fields: The facts by name.
    """

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__((type(self).__doc__ or "").partition("\n")[0])

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{self.args[0]} ({facts})" if facts else str(self.args[0])


class UnknownSubject(ProjectionError, LookupError):
    """An entry speaks of something that its stream never brought up."""


class UnknownProjection(ProjectionError, LookupError):
    """There is no projection of this name."""


class RebuildRunning(ProjectionError):
    """Another process is rebuilding this projection."""


class FurtherAlready(ProjectionError):
    """This projection stands behind the position that a replay is to end at."""
