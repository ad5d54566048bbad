"""Production mode starts only with what is fit for it."""

from importlib import import_module

from bootstrap.settings import Settings


def refuse_unfit(settings: Settings) -> None:
    """Refuse to start in production mode with what is fit for a demonstration only.

    Looking takes the client of every server, which nobody else should pay for at each start.

    Raises:
        UnfitForProductionError: With a sentence for each trap, and what to change.
    """
    if settings.production:
        import_module("bootstrap.diagnosis.examination").refuse(settings)
