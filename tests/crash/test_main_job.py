"""Nothing acknowledged is lost, doubled or out of order, whatever is killed and when."""

from collections.abc import Iterator

import pytest

from tests.crash.campaign import (
    Campaign,
    Strike,
    new_installation,
    plan,
    run_campaign,
)
from tests.crash.serving import KINDS, Installation

DOSES = 2_000
STRIKES = 20
SEED = 20261121  # the long campaigns draw others
# A seed that once failed stays here for ever.
SEEDS: tuple[int, ...] = ()
LONGEST_FREEZE_SECONDS = 12.0  # longer than idle_in_transaction_session_timeout


@pytest.fixture
def installation(servers_dir) -> Iterator[Installation]:
    installation = new_installation(servers_dir)
    yield installation
    installation.stop()


def fight(
    installation: Installation,
    strikes: list[Strike],
    seed: int,
    record_property,
    rival: str | None = None,
) -> Campaign:
    """Run a campaign and expect that nothing is wrong."""
    campaign = run_campaign(installation, strikes, seed=seed, doses=DOSES, rival=rival)
    print(campaign)
    record_property("counts", campaign.findings.counts)
    assert not campaign.findings.wrong, str(campaign)
    assert len(campaign.struck) == len(strikes), str(campaign)
    assert campaign.load.doses >= DOSES
    return campaign


@pytest.mark.timeout(600)
def test_twenty_kills_spread_over_all_processes_lose_nothing(installation, record_property):
    campaign = fight(installation, plan(SEED, DOSES, STRIKES), SEED, record_property)
    assert {kind for kind, _ in campaign.struck} == set(KINDS)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_twenty_kills_of_one_kind_of_process_lose_nothing(
    kind, installation, seed, record_property
):
    fight(installation, plan(seed, DOSES, STRIKES, (kind,)), seed, record_property)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("turn", "failed"), list(enumerate([*SEEDS, None, None, None])))
def test_sixty_kills_in_quick_succession_lose_nothing(
    turn, failed, installation, seed, record_property
):
    seed = failed or seed + turn
    fight(installation, plan(seed, DOSES, 3 * STRIKES), seed, record_property)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_database_killed_while_the_feed_is_cut_off_loses_nothing(installation, record_property):
    """Both at one moment, ten times: each comes back to others that are not there yet."""
    moments = range(DOSES // 12, DOSES, DOSES // 12)
    strikes = [Strike(kind, at, 0.0) for at in moments[:10] for kind in ("nats", "postmaster")]
    fight(installation, strikes, SEED, record_property)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_parts_that_sleep_and_wake_up_again_lose_nothing(installation, seed, record_property):
    strikes = plan(seed, DOSES, 2 * len(KINDS), frozen=LONGEST_FREEZE_SECONDS)
    fight(installation, strikes, seed, record_property)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("worker", ["integrator", "publisher", "projector"])
def test_a_worker_that_wakes_up_beside_its_rival_loses_safely(
    worker, installation, seed, record_property
):
    strikes = plan(seed, DOSES, 6, (worker,), frozen=LONGEST_FREEZE_SECONDS)
    fight(installation, strikes, seed, record_property, rival=worker)
