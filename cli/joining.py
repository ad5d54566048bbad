"""Joining a running installation: where its databases are."""

from bootstrap.addresses import Addresses
from bootstrap.settings import Settings


def joined_settings() -> Settings:
    """Return the settings with the URLs of both databases, as given or as `serve` wrote them.

    Raises:
        NotServingError: If neither says where the databases are.
    """
    settings = Settings.load()
    if settings.database_url is None:
        settings = Addresses.load(settings.data_dir).settings(settings)
    return settings
