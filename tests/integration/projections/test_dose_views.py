"""Doses with two clocks, records, timelines and certificates."""

from datetime import date, timedelta

import pytest

from projections.lots import Lot

DAY = date(2018, 9, 1)


def lots(doses) -> list[str]:
    return [dose.lot for dose in doses]


def test_a_correction_shows_from_the_next_day_on(house, story, views):
    story.register("小明")
    story.dose("小明", "d1", lot="OLD")
    story.correct("小明", "d1", lot="NEW")
    house.project()
    assert lots(views.doses.of_record(story.id("小明"), DAY)) == ["OLD"]
    assert lots(views.doses.of_record(story.id("小明"), DAY + timedelta(days=1))) == ["NEW"]


def test_what_was_known_before_the_correction_stays_readable(house, story, views):
    story.register("小明")
    before = story.dose("小明", "d1", lot="OLD")
    story.correct("小明", "d1", lot="NEW")
    house.project()
    tomorrow = DAY + timedelta(days=1)
    assert lots(views.doses.of_record(story.id("小明"), tomorrow, at_position=before)) == ["OLD"]
    assert views.doses.of_record(story.id("小明"), tomorrow, at_position=before - 1) == []


def test_an_immediate_correction_reaches_today_and_the_pending_one_keeps_its_day(
    house, story, views
):
    story.register("小明")
    story.dose("小明", "d1", lot="OLD", site="left-thigh")
    story.correct("小明", "d1", lot="NEW")
    story.correct("小明", "d1", immediate=True, site="right-thigh")
    house.project()
    (today,) = views.doses.of_record(story.id("小明"), DAY)
    (tomorrow,) = views.doses.of_record(story.id("小明"), DAY + timedelta(days=1))
    assert (today.lot, today.site) == ("OLD", "right-thigh")
    assert (tomorrow.lot, tomorrow.site) == ("NEW", "right-thigh")


def test_corrections_in_later_batches_work_on_what_is_stored(house, story, views):
    story.register("小明")
    story.dose("小明", "d1", lot="OLD")
    house.project()
    story.sleep(days=2)
    story.correct("小明", "d1", lot="NEW", dose_number="2", occurred_on="2018-08-31")
    house.project()
    story.sleep(days=2)
    story.correct("小明", "d1", lot="NEWER")
    house.project()
    readings = [
        views.doses.of_record(story.id("小明"), DAY + timedelta(days=days))[0]
        for days in (0, 2, 3, 4, 5)
    ]
    assert lots(readings) == ["OLD", "OLD", "NEW", "NEW", "NEWER"]
    assert readings[-1].dose_number == 2
    assert readings[-1].occurred_on == date(2018, 8, 31)


def test_a_dose_entered_in_error_ends_the_next_day(house, story, views):
    story.register("小明")
    story.dose("小明", "d1")
    story.dose("小明", "d2", "PV")
    story.strike("小明", "d1")
    house.project()
    assert len(views.doses.of_record(story.id("小明"), DAY)) == 2
    tomorrow = views.doses.of_record(story.id("小明"), DAY + timedelta(days=1))
    assert [dose.vaccine for dose in tomorrow] == ["PV"]


RESTATEMENTS = {
    "back before anyone saw it gone": ["strike", "reinstate"],
    "gone for a day": ["strike", "sleep", "reinstate"],
    "gone at once, back at once": ["strike!", "reinstate!"],
    "gone at once, back tomorrow": ["strike!", "reinstate"],
    "gone tomorrow, back at once": ["strike", "reinstate!"],
    "corrected for tomorrow, gone at once, back at once": ["correct", "strike!", "reinstate!"],
    "corrected and gone tomorrow, back later": [
        "correct",
        "strike",
        "sleep",
        "reinstate",
    ],
    "gone, back, gone, back": ["strike", "sleep", "reinstate!", "strike!", "sleep", "reinstate"],
    "corrected after it was back": ["strike!", "reinstate", "correct", "sleep", "strike"],
    "gone, back, and gone on one day": ["strike!", "reinstate!", "strike", "reinstate", "strike!"],
}


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_struck_dose_is_reinstated(house, story, views, in_one_batch):
    """Against a model: of all that counts on a day the last word holds."""
    expected = {}
    for name, steps in RESTATEMENTS.items():
        story.register(name)
        story.dose(name, f"{name}-1", lot="L0")
        begin, facts = story.today, [("dose", "L0", story.today)]
        for number, step in enumerate(steps):
            kind, at_once = step.rstrip("!"), step.endswith("!")
            counts_on = story.today + timedelta(days=not at_once)
            if kind == "sleep":
                story.sleep(days=1)
            elif kind == "correct":
                story.correct(name, f"{name}-1", lot=f"L{number}")
                facts.append((kind, f"L{number}", counts_on))
            else:
                getattr(story, kind)(name, f"{name}-1", immediate=at_once)
                facts.append((kind, None, counts_on))
            if not in_one_batch:
                house.project()
        for ahead in range(5):
            expected[name, begin + timedelta(days=ahead)] = told(facts, begin, ahead)
    house.project()
    for (name, day), wanted in expected.items():
        assert lots(views.doses.of_record(story.id(name), day)) == wanted, (name, day)


def told(facts, begin: date, ahead: int) -> list[str]:
    """The lots that read on a day, by facts in the order in which they were known."""
    lot, is_struck = "", False
    for kind, value, counts_on in facts:
        if counts_on <= begin + timedelta(days=ahead):
            lot = value or lot
            is_struck = {"strike": True, "reinstate": False}.get(kind, is_struck)
    return [] if is_struck else [lot]


def test_a_lot_recall_names_the_records_that_got_the_lot(house, story, views):
    for name in ("甲", "乙", "丙"):
        story.register(name)
        story.dose(name, f"{name}-1", lot="BAD" if name != "丙" else "GOOD")
    story.correct("乙", "乙-1", lot="GOOD")
    house.project()
    tomorrow = DAY + timedelta(days=1)
    today_got = {dose.record for dose in views.lots.doses(Lot("北京生物", "BAD"), DAY)}
    got = [dose.record for dose in views.lots.doses(Lot("北京生物", "BAD"), tomorrow)]
    assert today_got == {story.id("甲"), story.id("乙")}
    assert got == [story.id("甲")]


@pytest.mark.parametrize(
    ("fields", "provenance"),
    [
        ({"source_system": "paper", "evidence_kind": "certificate"}, "paper"),
        ({"source_system": "programme", "evidence_kind": "other-system"}, "other-system"),
        (
            {"source_system": "paper", "evidence_kind": "card", "province": "41"},
            "other-province",
        ),
    ],
)
def test_a_transcribed_dose_says_where_it_is_known_from(house, story, views, fields, provenance):
    story.register("小明")
    story.add(
        "vaccination-record.dose-transcribed.v1",
        "小明",
        None,
        dose=str(story.id("d1")),
        vaccine="BCG",
        occurred_on="2014-05-07",
        evidence="c" * 64,
        clinic=str(story.id("clinic")),
        derived={"effective_on": "2018-09-01"},
        **fields,
    )
    house.project()
    (dose,) = views.doses.of_record(story.id("小明"), DAY)
    assert dose.provenance == provenance
    assert (dose.lot, dose.product) == (None, None)


def test_a_contraindication_holds_until_it_is_lifted(house, story, views):
    story.register("小明")
    story.add(
        "vaccination-record.contraindication-recorded.v1",
        "小明",
        None,
        contraindication=str(story.id("c1")),
        vaccine_groups=["DPT", "DT"],
        lasting=True,
        valid_from="2018-09-01",
        clinic=str(story.id("clinic")),
    )
    recorded = house.project()
    story.add(
        "vaccination-record.contraindication-lifted.v1",
        "小明",
        None,
        contraindication=str(story.id("c1")),
        on="2018-09-10",
    )
    house.project()
    record = story.id("小明")
    (known,) = views.doses.contraindications(record, date(2018, 9, 9))
    assert known.vaccine_groups == ["DPT", "DT"]
    assert views.doses.contraindications(record, date(2018, 9, 10)) == []
    assert len(views.doses.contraindications(record, date(2018, 9, 10), recorded)) == 1


def test_a_record_has_its_guardians_roll_and_version(house, story, views):
    story.register("小明")
    story.dose("小明", "d1")
    story.add(
        "vaccination-record.roll-changed.v1",
        "小明",
        None,
        status="moved-out",
        on="2018-09-02",
        managing_organisation=str(story.id("other clinic")),
        division="410205001",
        derived={"effective_on": "2018-09-02"},
    )
    story.add(
        "vaccination-record.roll-changed.v1",
        "小明",
        None,
        status="active",
        on="2018-09-03",
        derived={"effective_on": "2018-09-03"},
    )
    house.project()
    record = views.records.get(story.id("小明"))
    assert record is not None
    assert (record.roll, record.division, record.version) == ("active", "410205001", 4)
    assert record.managing_organisation == story.id("other clinic")
    assert [state.status for state in record.rolls] == ["active", "moved-out", "active"]
    assert [guardian.person for guardian in record.guardians] == [story.id("小明-mother")]
    assert views.records.of_person(story.id("小明-mother")) == [story.id("小明")]
    assert views.records.managed_by(story.id("other clinic")) == [story.id("小明")]


def test_the_timeline_gathers_every_stream_about_a_record(house, story, views):
    story.register("小明")
    story.register("别人")
    story.dose("小明", "d1", occurred_on="2018-08-30")
    request = {
        "record": str(story.id("小明")),
        "dose": str(story.id("d1")),
        "kind": "amend",
        "changes": [{"field": "lot", "after": "NEW"}],
        "urgency": "next-day",
        "reason": "typing-error",
        "requested_by": "clinic",
        "clinic": str(story.id("clinic")),
    }
    story.add("correction.requested.v1", "correction", None, division="410204001", **request)
    house.project()
    story.add("correction.verified.v1", "correction", None, clinic=str(story.id("clinic")))
    story.add("correction.applied.v1", "correction", None, clinic=str(story.id("clinic")),
              derived={"effective_on": "2018-09-02"})  # fmt: skip
    story.correct("小明", "d1", lot="NEW")
    house.project()
    lines = views.records.timeline([story.id("小明")])
    assert [line.topic.split(".")[1] for line in lines] == [
        "registered",
        "dose-administered",
        "requested",
        "verified",
        "applied",
        "dose-corrected",
    ]
    assert lines[1].occurred_on == date(2018, 8, 30)
    assert lines[4].effective_on == date(2018, 9, 2)
    assert [
        line.position for line in views.records.timeline([story.id("小明")], up_to=4, after=1)
    ] == [
        3,
        4,
    ]


def claim(story, certificate: str, record: str, holder: str) -> int:
    return story.add(
        "certificate.claimed.v1",
        certificate,
        None,
        record=str(story.id(record)),
        kind="child",
        division="410204001",
        holder=str(story.id(holder)),
        derived={"identifier": "d" * 32, "on_behalf_of": str(story.id(holder))},
    )


def test_a_certificate_shows_the_doses_of_the_day_less_the_bite_injury_system(house, story, views):
    story.register("小明")
    story.dose("小明", "d1", lot="OLD")
    story.dose("小明", "d2", "Rabies", source_system="bite-injury")
    claim(story, "cert", "小明", "小明-mother")
    story.correct("小明", "d1", lot="NEW")
    house.project()
    record = story.id("小明")
    view = views.certificates.certificate_view(record, DAY)
    assert lots(view.doses) == ["OLD"]
    assert (view.total, view.withheld) == (2, 1)
    assert view.certificate is not None
    assert view.certificate.state == "claimed"
    everything = views.certificates.certificate_view(
        record, DAY + timedelta(days=1), include_bite_injury=True
    )
    assert sorted(lots(everything.doses)) == ["L-2018", "NEW"]
    assert everything.withheld == 0


def test_grants_follow_the_certificate(house, story, views):
    story.register("小明")
    claim(story, "cert", "小明", "小明-mother")
    behalf = {"on_behalf_of": str(story.id("小明-mother"))}
    for name in ("grandmother", "uncle"):
        story.add(
            "certificate.granted.v1",
            "cert",
            {name: {"name": name, "id_number": "x", "phone": "1", "relation": "relative"}},
            grant=str(story.id(f"grant {name}")),
            grantee=str(story.id(name)),
            relation="relative",
            scope=["view", "book"],
            ends_on="2018-12-31",
            derived=behalf,
        )
    story.add("certificate.grant-revoked.v1", "cert", None,
              grant=str(story.id("grant uncle")), derived=behalf)  # fmt: skip
    house.project()
    certificate = story.id("cert")
    grandmother, uncle = views.certificates.grants(certificate)
    assert grandmother.scope == ["view", "book"]
    assert grandmother.is_active_on(date(2018, 12, 31))
    assert not grandmother.is_active_on(date(2019, 1, 1))
    assert not uncle.is_active_on(DAY)
    assert len(views.certificates.granted_to(story.id("grandmother"))) == 1
    assert views.certificates.granted_to(story.id("uncle")) == []
    assert len(views.certificates.held_by(story.id("小明-mother"))) == 1
    people = views.people.lookup([story.id("grandmother")], DAY)
    assert people[story.id("grandmother")].name == "grandmother"
    story.add("certificate.released.v1", "cert", None, reason="claimed-again", derived=behalf)
    house.project()
    assert views.certificates.held_by(story.id("小明-mother")) == []
    released = views.certificates.of_record(story.id("小明"))
    assert released is not None
    assert released.state == "released"
    claim(story, "cert 2", "小明", "小明-father")
    house.project()
    again = views.certificates.of_record(story.id("小明"))
    assert again is not None
    assert (again.state, again.holder) == ("claimed", story.id("小明-father"))
