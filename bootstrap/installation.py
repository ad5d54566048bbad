"""A whole installation on one machine: which parts it has and in what order they start."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bootstrap.addresses import Addresses
from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.postgres import KEYS_OWNER, EmbeddedPostgres
from bootstrap.fitness import refuse_unfit
from bootstrap.folders import ready_mark
from bootstrap.fork import run_module
from bootstrap.part import Forked, Part
from bootstrap.personal_keys import PersonalKeys
from bootstrap.settings import Settings
from bootstrap.supervisor import Supervisor

OWN_WITNESS = "witness"
WORKERS = ("integrator", "projector", "publisher", "custodian", "calendar", OWN_WITNESS)
_PROBE_SECONDS = 1.0
_OK = 200


def serve(settings: Settings, on_ready: Callable[[Addresses], None]) -> None:
    """Run every part until SIGTERM or SIGINT; servers whose URL is not given are embedded.

    Args:
        settings: As the environment gives them.
        on_ready: Called once, when everything answers.

    Raises:
        BootstrapError: another one runs on the data directory, a file that the settings name is
            unusable, or a part does not start.
    """
    PersonalKeys(settings.personal_keys)  # what is wrong with them is said before anything starts
    refuse_unfit(settings)
    with ExitStack() as stack:
        supervisor = Supervisor(settings.data_dir)
        stack.callback(supervisor.close)
        servers: list[Part] = []
        superuser_url = None
        if settings.database_url is None:
            postgres = EmbeddedPostgres(settings.data_dir)
            stack.callback(postgres.stop)
            servers += postgres.parts()
            superuser_url = postgres.superuser_url()
            urls = {"database_url": postgres.url(), "keys_url": postgres.url(KEYS_OWNER)}
            settings = settings.model_copy(update=urls)
        if settings.nats_url is None:
            nats = EmbeddedNats.prepare(settings.data_dir)
            stack.callback(nats.stop)
            servers.append(nats.part())
            settings = settings.model_copy(
                update={
                    "nats_url": nats.url,
                    "nats_monitor_url": nats.monitor_url,
                    "nats_user": nats.user,
                    "nats_password": nats.password,
                }
            )
        addresses = _addresses(settings, superuser_url)
        addresses.save(settings.data_dir)
        supervisor.run([*servers, *own_parts(settings, servers)], lambda: on_ready(addresses))


def own_parts(settings: Settings, servers: list[Part]) -> list[Part]:
    """Return the parts that are ours, which start after the servers that are embedded."""
    environment = settings.environment()
    migrate = Forked(
        name="migrate",
        work=partial(run_module, ("cli", "migrate"), environment),
        reads=("cli.migrating",),
        after=tuple(part.name for part in servers),
        once=True,
    )
    api = Forked(
        name="api",
        work=partial(run_module, ("api",), environment),
        reads=("fastapi", "api.app", "api.__main__"),
        ready=lambda: _is_answering(settings.host, settings.port),
        after=("migrate",),
    )
    # Who names a policy has witnesses elsewhere; everybody else gets one of their own.
    workers = [
        _worker(name, settings.data_dir, environment)
        for name in WORKERS
        if name != OWN_WITNESS or settings.policy is None
    ]
    return [migrate, api, *workers]


def _worker(name: str, data_dir: Path, environment: Mapping[str, str]) -> Part:
    mark = ready_mark(data_dir, name)
    return Forked(
        name=name,
        work=partial(run_module, ("workers", name), environment),
        reads=("workers.__main__", f"workers.parts.{name}"),
        ready=mark.exists,
        prepare=lambda: mark.unlink(missing_ok=True),
        after=("migrate",),
    )


def _is_answering(host: str, port: int) -> bool:
    probe = HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, _PROBE_SECONDS)  # noqa: S104 - compared, not bound
    try:
        probe.request("GET", "/readyz")
        return probe.getresponse().status == _OK
    except HTTPException:
        return False
    finally:
        probe.close()


def _addresses(settings: Settings, superuser_url: str | None) -> Addresses:
    assert settings.database_url is not None
    assert settings.keys_url is not None
    assert settings.nats_url is not None
    return Addresses(
        http_url=f"http://{settings.host}:{settings.port}",
        database_url=settings.database_url,
        keys_url=settings.keys_url,
        nats_url=settings.nats_url,
        nats_monitor_url=settings.monitor_url or "",
        nats_user=settings.nats_user,
        nats_password=settings.nats_password,
        superuser_url=superuser_url,
    )
