"""The app: all routes, and what runs beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import (
    access,
    as_seen,
    audit,
    audit_page,
    authorship,
    batches,
    behind,
    booking_pages,
    bookings,
    certificate_prints,
    certificate_views,
    class_list_page,
    class_lists,
    clinics,
    console,
    corrections,
    corrections_page,
    credentials,
    desk_page,
    development,
    duplicates,
    entry_papers,
    evaluations,
    feed,
    handing_in,
    health,
    log,
    lots,
    my_claims,
    my_credentials,
    my_grants,
    my_holding,
    my_pages,
    notices_given,
    notices_page,
    offers,
    openapi,
    operator,
    oversight_pages,
    own_record,
    pages,
    personal,
    protection,
    reads,
    reports,
    roll_up_changes_page,
    roll_up_pages,
    school_forms,
    school_pages,
    schools,
    searching,
    session,
    site_days,
    site_pages,
    statement_status,
    statements,
    supervision,
    timelines,
    verify_page,
    visit_page,
    visits,
    walk_ins,
    write_addresses,
    writes,
)
from api.directory import Directory
from api.measuring import Measuring
from api.parts import Serving
from api.planning import planned
from api.shedding import Shedding
from bootstrap.views import Views
from bootstrap.wiring import Parts

_A_WHILE_SECONDS = 60.0
ROUTERS = (
    batches.router,
    console.router,
    corrections.router,
    certificate_views.router,
    certificate_prints.router,
    credentials.router,
    credentials.lists,
    visits.router,
    searching.router,
    own_record.router,
    reads.router,
    timelines.router,
    clinics.router,
    duplicates.router,
    lots.router,
    protection.router,
    access.router,
    audit.router,
    as_seen.router,
    personal.router,
    schools.router,
    offers.router,
    bookings.router,
    site_days.router,
    walk_ins.router,
    school_forms.router,
    reports.router,
    supervision.router,
    behind.router,
    statements.router,
    entry_papers.router,
    notices_given.router,
    statement_status.router,
    statement_status.pages,
    class_lists.router,
    evaluations.router,
    log.router,
    authorship.router,
    feed.router,
    health.router,
    development.router,
    visit_page.router,
    desk_page.router,
    pages.router,
    verify_page.router,
    my_pages.router,
    booking_pages.router,
    site_pages.router,
    certificate_prints.pages,
    my_claims.router,
    my_credentials.router,
    my_grants.router,
    my_holding.router,
    session.router,
    audit_page.router,
    corrections_page.router,
    oversight_pages.router,
    handing_in.router,
    class_list_page.router,
    notices_page.router,
    school_pages.router,
    roll_up_changes_page.router,
    roll_up_pages.router,
    operator.router,
)


def create_app(parts: Parts, views: Views) -> FastAPI:
    """The app of one serving process.

    Args:
        parts: The running parts, which outlive the app.
        views: The read side, likewise.
    """
    app = _routed()
    app.state.serving = Serving.of(parts, views)
    return app


def openapi_document() -> dict[str, Any]:
    """The interface as OpenAPI 3.1; needs nothing that runs."""
    return _routed().openapi()


def _routed() -> FastAPI:
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        description=openapi.DESCRIPTION,
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
        lifespan=_following,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # `api.tracing` tells
    )
    writes.install(app, openapi.write_operations(write_addresses.ADDRESSES))
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # included, each would be asked twice
    openapi.install(app)
    for route in app.router.routes:
        if isinstance(route, APIRoute):
            route.app = planned(route)
    app.router.middleware_stack = Directory(app.router)
    app.middleware_stack = Measuring(Shedding(app.router))  # the framework's own: four more
    return app


@asynccontextmanager
async def _following(app: FastAPI) -> AsyncIterator[None]:
    """Follow checkpoint and views for as long as the app serves, and read what proofs need."""
    serving: Serving = app.state.serving
    work = (serving.published.follow(), serving.projected.follow(), _read_ahead(serving))
    followers = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        if serving.traces is not None:
            await asyncio.to_thread(serving.traces.close)


async def _read_ahead(serving: Serving) -> None:
    """Have at hand what proofs are made of, as soon as there is a log."""
    while not await serving.published.wait(1, _A_WHILE_SECONDS):
        pass
    await serving.prover.read_ahead()
