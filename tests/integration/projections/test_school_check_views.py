"""Annex 3 and annex 4 from child-level facts: the worked example of two classes, and as-of."""

from datetime import date

import pytest

from projections.annex3 import COLUMNS, DOSE_COLUMNS
from projections.behind import Sheet
from projections.roll_up import Level

DAY = date(2018, 12, 1)
TOWNSHIP = "410204001"


def column(name: str) -> int:
    return COLUMNS.index(name)


def register_of(house, class_name: str, at: int | None = None, school: str = "K1", check=None):
    return house.views.registers.register(
        house.story.id(school),
        class_name,
        school_year=2018,
        effective_on=DAY,
        at_position=at,
        check=check,
    )


def roll_up_of(house, prefix: str = "4102", entry_type: str = "kindergarten", **other):
    return house.views.roll_ups.roll_up(prefix, entry_type, school_year=2018, **other)


@pytest.fixture
def two_classes(house, story):
    """Kindergarten K1 of the worked example R03: two classes, fourteen children."""
    story.school("K1", TOWNSHIP)
    small = {
        1: {},
        2: {"complete": False, "missing": {"PV": [3], "MenA": [2]}},
        3: {"certificate": False},
        4: {"certificate": False, "complete": False, "missing": {"BCG": [1], "JE": [2]}},
        5: {"complete": False, "missing": {"HepB": [3]}, "exempt": {"DPT": [3, 4]}},
        6: {},
    }
    middle = {
        1: {},
        2: {},
        3: {"complete": False, "missing": {"PV": [4]}},
        4: {"complete": False, "missing": {"PV": [4], "MCV": [2]}},
        5: {"certificate": False, "complete": False, "missing": {"HepB": [2, 3], "MenAC": [1]}},
        6: {"certificate": False},
        7: {},
        8: None,
    }
    for class_name, children in (("小一班", small), ("中一班", middle)):
        for number, found in children.items():
            story.register(f"{class_name}{number}", phone=f"1390000{number:04}")
            story.enrol(f"{class_name}{number}", "K1", class_name, number)
            if found is not None:
                story.check(f"{class_name}{number}", "K1", **found)
    house.september = house.project()
    story.sleep(days=40)
    for pupil in ("小一班3", "小一班4", "中一班5"):
        story.reissue(pupil, "K1")
    story.recheck(
        "小一班2", "K1", {("PV", 3): "2018-10-10", ("MenA", 2): "2018-10-10"}, completed=True
    )
    story.recheck("小一班4", "K1", {("JE", 2): "2018-10-08"}, completed=False)
    story.recheck("小一班5", "K1", {("HepB", 3): "2018-11-05"}, completed=True)
    story.recheck("中一班3", "K1", {("PV", 4): "2018-10-15"}, completed=True)
    story.recheck("中一班4", "K1", {("PV", 4): "2018-10-15"}, completed=False)
    story.recheck(
        "中一班4", "K1", {("PV", 4): "2018-10-15", ("MCV", 2): "2018-11-12"}, completed=True
    )
    story.recheck(
        "中一班5", "K1", {("HepB", 2): "2018-10-15", ("MenAC", 1): "2018-10-15"}, completed=False
    )
    house.november = house.project()
    return house


def test_the_register_has_thirty_columns_and_the_marks_of_the_form(two_classes):
    register = register_of(two_classes, "小一班")
    rows = register.rows()
    assert [len(row) for row in rows] == [30] * 9
    two, four, five = rows[1], rows[3], rows[4]
    assert two[:7] == ("2", "小一班2", "女", "2014-05-06", "13900000002", "是", "╳")
    assert two[column("脊灰疫苗3")] == "10/10"
    assert two[column("脊灰疫苗4")] == ""
    assert two[-1] == "是"
    assert four[5] == "否"
    assert four[column("卡介苗")] == "/"
    assert four[column("乙脑疫苗2")] == "8/10"
    assert four[-1] == "否"
    assert [five[column(f"百白破疫苗{number}")] for number in (2, 3, 4)] == ["", "禁", "禁"]
    assert five[column("乙肝疫苗3")] == "5/11"
    assert rows[0][6:] == ("√", *[""] * 23)


def test_no_name_is_read_for_whom_the_school_is_refused(two_classes, monkeypatch):
    monkeypatch.delattr(type(two_classes.views.people), "listed")  # the way to names

    def refuse(division: str | None) -> None:
        raise PermissionError(division)

    with pytest.raises(PermissionError, match=TOWNSHIP):
        register_of(two_classes, "小一班", check=refuse)
    with pytest.raises(AttributeError):
        register_of(two_classes, "小一班")


def test_the_subtotals_are_those_of_the_worked_example(two_classes):
    subtotals = register_of(two_classes, "中一班").subtotals
    assert (subtotals.checked, subtotals.with_certificate, subtotals.fully_vaccinated) == (7, 5, 4)
    missed = {("HepB", 2): 1, ("HepB", 3): 1, ("PV", 4): 2, ("MCV", 2): 1, ("MenAC", 1): 1}
    assert (subtotals.without_certificate, subtotals.not_fully_vaccinated) == (2, 3)
    assert subtotals.missed == missed
    made_up = {("HepB", 2): 1, ("PV", 4): 2, ("MCV", 2): 1, ("MenAC", 1): 1}
    assert (subtotals.certificates_reissued, subtotals.makeup_completed) == (1, 2)
    assert subtotals.made_up == made_up
    check, missing, repaired = subtotals.rows()
    assert (check[0], check[1], check[5], check[6]) == ("查验小计", "7", "5", "4")
    assert missing[column("脊灰疫苗4")] == "2"
    assert (repaired[5], repaired[-1], repaired[column("乙肝疫苗3")]) == ("1", "2", "0")


def test_beside_the_30_columns_stands_what_they_have_no_room_for(two_classes):
    """S-37: the form leaves it out, the log does not."""
    line = register_of(two_classes, "小一班").lines[2]
    assert (line.admission, line.checked_on.year) == ("new", 2018)
    assert line.reissued_on is not None
    row = line.pupil.row()
    assert len(row) == 30
    assert not {line.admission, str(line.reissued_on), str(line.checked_on)} & set(row)


def test_the_september_register_stays_reproducible_in_november(two_classes):
    september = register_of(two_classes, "小一班", two_classes.september)
    assert september.rows()[1][column("脊灰疫苗3")] == "/"
    assert september.rows()[1][-1] == ""
    assert september.subtotals.certificates_reissued == september.subtotals.makeup_completed == 0
    assert september.subtotals.made_up == {}
    assert september.subtotals.missed == register_of(two_classes, "小一班").subtotals.missed


def test_the_roll_up_is_the_worked_example_in_29_columns(two_classes):
    (row,) = roll_up_of(two_classes).rows
    assert row.counts() == (1, 1, 14, 13, 9, 3, 7, 4)
    assert row.doses == {
        "BCG": (1, 0),
        "HepB": (3, 2),
        "PV": (3, 3),
        "MCV": (1, 1),
        "MenA": (1, 1),
        "MenAC": (1, 1),
        "JE": (1, 1),
    }
    cells = row.row()
    assert len(cells) == 29
    assert cells[:2] == ("K1", 1)
    assert cells[9:15] == (1, 0, 3, 2, 3, 3)


def test_registers_add_up_to_the_roll_up(two_classes):
    subtotals = [register_of(two_classes, name).subtotals for name in ("小一班", "中一班")]
    row = roll_up_of(two_classes).total
    assert row.checked == sum(one.checked for one in subtotals)
    assert row.fully_vaccinated == sum(one.fully_vaccinated for one in subtotals)
    for group in {group for group, _ in DOSE_COLUMNS}:
        due = sum(count for one in subtotals for (g, _), count in one.missed.items() if g == group)
        assert row.doses.get(group, (0, 0))[0] == due


def test_townships_counties_and_cities_are_sums_and_entry_types_never_mix(two_classes, story):
    house = two_classes
    story.school("K2", TOWNSHIP)
    story.school("K3", "410205002")
    story.school("P1", "410205002", "primary")
    story.add("organisation.registered.v1", "T1", None, name="一镇", kind="township",
              division=TOWNSHIP)  # fmt: skip
    for number in range(1, 4):
        story.register(f"三{number}")
        story.enrol(f"三{number}", "K3", "大班", number, division="410205002")
        story.register(f"小{number}")
        story.enrol(
            f"小{number}", "P1", "一1班", number, division="410205002", entry_type="primary"
        )
        story.check(f"小{number}", "P1")
    house.project()
    by_town = roll_up_of(house, level=Level.TOWNSHIP)
    assert [(row.unit, row.name) for row in by_town.rows] == [
        ("410204001", "一镇"),
        ("410205002", None),
    ]
    assert by_town.rows[0].counts() == (2, 1, 14, 13, 9, 3, 7, 4)
    assert by_town.rows[1].counts() == (1, 0, 3, 0, 0, 0, 0, 0)
    assert by_town.total.counts() == (3, 1, 17, 13, 9, 3, 7, 4)
    assert roll_up_of(house, level=Level.CITY).rows[0].counts() == by_town.total.counts()
    assert roll_up_of(house, "410205", level=Level.COUNTY).total.enrolled == 3
    assert roll_up_of(house, entry_type="primary").total.counts() == (1, 1, 3, 3, 3, 0, 3, 0)
    assert roll_up_of(house, "99").rows == ()
    assert roll_up_of(house, "99").total.counts() == (0,) * 8


def test_a_school_with_children_of_the_other_type_is_due_for_them(house, story):
    story.school("P1", TOWNSHIP, "primary")
    story.school("K1", TOWNSHIP)
    story.register("甲")
    story.enrol("甲", "P1", "学前班", 1)
    story.check("甲", "P1")
    house.project()
    township = roll_up_of(house, level=Level.TOWNSHIP).total
    assert (township.institutions_due, township.institutions_checked) == (2, 1)


def test_a_transferred_child_counts_once_at_the_receiving_school(house, story):
    story.school("K1", TOWNSHIP)
    story.school("K2", "410205002")
    story.register("甲")
    story.enrol("甲", "K1", "小班", 1)
    story.check("甲", "K1")
    before = house.project()
    story.sleep(days=30)
    story.enrol("甲", "K2", "小班", 7, division="410205002", joined_on="2018-10-01",
                admission="transfer")  # fmt: skip
    house.project()
    assert roll_up_of(house).total.enrolled == 1
    assert roll_up_of(house, "410204").total.enrolled == 0
    assert roll_up_of(house, "410204", at_position=before).total.checked == 1
    assert register_of(house, "小班").lines == ()
    assert len(register_of(house, "小班", school="K2").lines) == 1
    assert len(register_of(house, "小班", before).lines) == 1
    classes = house.views.registers.classes
    assert classes(story.id("K1"), 2018) == [], "as in the register"
    assert [row.enrolled for row in classes(story.id("K1"), 2018, before)] == [1]
    assert [row.enrolled for row in classes(story.id("K2"), 2018)] == [1]


def test_a_child_enrolled_under_two_records_counts_once_while_they_are_merged(house, story):
    story.school("K1", TOWNSHIP)
    story.school("K2", "410205002")
    for record in ("甲", "甲二", "甲三"):
        story.register(record)
    story.enrol("甲二", "K1", "小班", 1)
    story.enrol("甲三", "K2", "小班", 7, division="410205002", joined_on="2018-10-01")
    apart = house.project()
    for duplicate in ("甲二", "甲三"):
        story.add("vaccination-record.merged-into.v1", duplicate, None,
                  survivor=str(story.id("甲")), derived=story._effective())  # fmt: skip
    merged = house.project()
    assert [roll_up_of(house, at_position=at).total.enrolled for at in (apart, merged)] == [2, 1]
    assert register_of(house, "小班").lines == ()
    assert len(register_of(house, "小班", school="K2").lines) == 1
    story.enrol("甲", "K1", "大班", 2, joined_on="2018-11-01")
    joined = house.project()
    assert roll_up_of(house, "410205").total.enrolled == 0
    assert len(register_of(house, "大班").lines) == 1
    sheet = Sheet(division_prefix="4102", entry_type="kindergarten", school_year=2018, at=joined)
    changed = {one.record: one for one in house.views.behind.changes(sheet, apart)}
    assert changed.keys() == {story.id(name) for name in ("甲", "甲二", "甲三")}
    assert "merged-into" in changed[story.id("甲二")].causes[-1].topic
    story.add("vaccination-record.separated-from.v1", "甲三", None,
              survivor=str(story.id("甲")), derived=story._effective())  # fmt: skip
    house.project()
    assert roll_up_of(house).total.enrolled == 2
    assert roll_up_of(house, at_position=joined).total.enrolled == 1


def test_a_new_check_replaces_the_finding_and_what_was_made_up_of_it(house, story):
    story.school("K1", TOWNSHIP)
    story.register("甲")
    story.enrol("甲", "K1", "小班", 1)
    story.check("甲", "K1", complete=False, missing={"PV": [3, 4], "JE": [1]})
    story.recheck("甲", "K1", {("PV", 3): "2018-10-10"}, completed=False)
    house.project()
    story.check("甲", "K1", complete=False, missing={"PV": [4]})
    house.project()
    (line,) = register_of(house, "小班").lines
    assert dict(line.pupil.check.missing) == {("PV", 4): None}
    assert line.pupil.completed is None


def test_a_recheck_takes_back_what_is_not_made_up_after_all(house, story):
    story.school("K1", TOWNSHIP)
    story.register("甲")
    story.enrol("甲", "K1", "小班", 1)
    story.check("甲", "K1", complete=False, missing={"PV": [3], "JE": [1]})
    story.recheck("甲", "K1", {("PV", 3): "2018-10-10", ("JE", 1): "2018-10-10"}, completed=True)
    story.recheck("甲", "K1", {("PV", 3): "2018-10-10"}, completed=False)
    house.project()
    (line,) = register_of(house, "小班").lines
    assert dict(line.pupil.check.missing) == {("PV", 3): date(2018, 10, 10), ("JE", 1): None}
    assert roll_up_of(house).total.doses == {"PV": (1, 1), "JE": (1, 0)}


def test_a_child_too_young_to_judge_is_checked_and_neither_full_nor_missing(house, story):
    story.school("K1", TOWNSHIP)
    story.register("甲")
    story.enrol("甲", "K1", "小小班", 1)
    story.check("甲", "K1", complete=None)
    house.project()
    register = register_of(house, "小小班")
    assert register.rows()[0][6] == ""
    counted = register.subtotals
    assert (counted.checked, counted.with_certificate, counted.fully_vaccinated) == (1, 1, 0)
    assert (counted.without_certificate, counted.not_fully_vaccinated) == (0, 0)
    assert counted.missed == {}


def test_a_shredded_child_keeps_its_line_and_reads_deleted_in_september_too(two_classes):
    house = two_classes
    import psycopg

    from projections import people

    child = house.story.id("小一班2-child")
    with psycopg.connect(house.keys_url) as keys:
        keys.execute("SET ROLE vaxledger_people")
        keys.execute("SET search_path = people")
        assert people.erase(keys, [child], []) == 1
    for at in (None, house.september):
        line = register_of(house, "小一班", at).rows()[1]
        assert line[1:5] == ("已删除",) * 4
        assert line[6] == "╳"
    assert roll_up_of(house).total.counts() == (1, 1, 14, 13, 9, 3, 7, 4)


def test_names_amended_today_read_so_from_tomorrow_on(house, story, views):
    story.school("K1", TOWNSHIP)
    story.register("旧名")
    story.enrol("旧名", "K1", "小班", 1)
    before = house.project()
    story.add(
        "vaccination-record.identity-amended.v1",
        "旧名",
        {"旧名-child": {"before": {"name": "旧名"}, "after": {"name": "新名"}}},
        person=str(story.id("旧名-child")),
        fields=["name"],
        reason="typing-error",
        derived={"effective_on": "2018-09-02"},
    )
    house.project()

    def name_on(day: date, at: int | None = None) -> str:
        register = views.registers.register(
            story.id("K1"), "小班", school_year=2018, effective_on=day, at_position=at
        )
        return register.rows()[0][1]

    assert name_on(date(2018, 9, 1)) == "旧名"
    assert name_on(date(2018, 9, 2)) == "新名"
    assert name_on(date(2018, 9, 2), before) == "旧名"
    assert (
        views.people.lookup([story.id("旧名-child")], DAY)[story.id("旧名-child")].sex == "female"
    )


def test_a_guardian_of_two_children_reads_as_the_newest_word_on_each_field(house, story, views):
    mother = str(story.id("mother"))
    for record, values in (
        ("甲", {"name": "王芳", "phone": "1"}),
        ("乙", {"name": "王芳芳", "id_type": "passport"}),
    ):
        story.add(
            "vaccination-record.registered.v1",
            record,
            {"mother": values, f"{record}-child": {"name": record}},
            kind="child",
            recipient=str(story.id(f"{record}-child")),
            guardians=[{"person": mother, "relation": "mother"}],
            birth_year=2015,
            managing_organisation=str(story.id("clinic")),
            division=TOWNSHIP,
            roll="active",
            derived={"effective_on": "2018-09-01"},
        )
    house.project()
    person = views.people.lookup([story.id("mother")], DAY)[story.id("mother")]
    assert (person.name, person.phone, person.id_type) == ("王芳芳", "1", "passport")
    known_first = views.people.lookup([story.id("mother")], DAY, at_position=1)
    assert known_first[story.id("mother")].name == "王芳"
    assert views.records.of_person(story.id("mother")) == [story.id("甲"), story.id("乙")]


def test_classes_of_a_school_tell_how_far_the_check_is(two_classes):
    classes = two_classes.views.registers.classes(two_classes.story.id("K1"), 2018)
    assert [(c.class_name, c.enrolled, c.checked) for c in classes] == [
        ("中一班", 8, 7),
        ("小一班", 6, 6),
    ]


def test_keys_of_an_organisation_are_valid_between_positions(house, story, views):
    key = "ab" * 32
    story.add("organisation.registered.v1", "org", None, name="一所", kind="clinic",
              division=TOWNSHIP, public_key=key, key_proof="0" * 128)  # fmt: skip
    story.add("organisation.key-registered.v1", "org", None, public_key="cd" * 32,
              key_proof="0" * 128)  # fmt: skip
    house.project()
    first, second = views.organisations.keys(story.id("org"))
    story.add("organisation.key-revoked.v1", "org", None, keyid=first.keyid, reason="lost")
    house.project()
    revoked, valid = views.organisations.keys(story.id("org"))
    assert (revoked.from_position, revoked.revoked_position, revoked.reason) == (1, 3, "lost")
    assert (valid.keyid, valid.revoked_position) == (second.keyid, None)
    assert [org.name for org in views.organisations.within("4102", "clinic")] == ["一所"]
    organisation = views.organisations.get(story.id("org"))
    assert organisation is not None
    assert organisation.parent is None
