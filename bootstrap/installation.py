"""A whole installation on one machine: which parts it has and in what order they start."""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bootstrap.addresses import Addresses
from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.postgres import KEYS_OWNER, EmbeddedPostgres
from bootstrap.fitness import refuse_unfit
from bootstrap.folders import ready_mark
from bootstrap.part import Part
from bootstrap.personal_keys import PersonalKeys
from bootstrap.settings import Settings
from bootstrap.supervisor import Supervisor

OWN_WITNESS = "witness"
WORKERS = ("integrator", "projector", "publisher", "custodian", "calendar", OWN_WITNESS)
_UNHURRIED = ("custodian", "calendar", OWN_WITNESS)
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
            servers.append(postgres.part())
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
    after = tuple(part.name for part in servers)
    migrate = Part(
        name="migrate",
        argv=_python("cli", "migrate", "--stand-by"),
        ready=lambda: True,
        after=after,
        stands_by=True,  # a core is free while a cluster is made
        once=True,
        env=environment,
    )
    api = Part(
        name="api",
        argv=_python("api", "--stand-by"),
        ready=lambda: _is_answering(settings.host, settings.port),
        after=("migrate",),
        stands_by=True,  # it has the most to read of all
        env=environment,
    )
    # Who names a policy has witnesses elsewhere; everybody else gets one of their own.
    workers = [
        _worker(name, settings.data_dir, environment)
        for name in WORKERS
        if name != OWN_WITNESS or settings.policy is None
    ]
    return [migrate, *workers, api]


def _worker(name: str, data_dir: Path, environment: Mapping[str, str]) -> Part:
    mark = ready_mark(data_dir, name)
    return Part(
        name=name,
        argv=_python("workers", name),
        ready=mark.exists,
        prepare=lambda: mark.unlink(missing_ok=True),
        # Nobody waits for these, and the cores are few while everything starts.
        after=("api",) if name in _UNHURRIED else ("migrate",),
        env=environment,
    )


def _python(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *words)


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
