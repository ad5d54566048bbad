"""A school's class list of 500 children, brought to a whole installation.

A turn does what `vaxledger class-list` does twice, first to review and then to apply: the workbook
is read, its rows are matched to records over HTTP, and the enrolments are signed as one batch. Each
turn has a school of its own.
"""

from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

from openpyxl import Workbook

from benchmarks.author import Author, operator_of
from benchmarks.clinic import REGISTERED, TOWNSHIP
from benchmarks.contest import Contestant, Pace
from benchmarks.installation import Served
from benchmarks.measuring import Measured, once
from client.class_list import TAKEN, digest, enrolment, reviewed
from client.class_rows import ClassList, Pupil, Terms
from client.http import Caller, Client
from client.identifiers import new_id
from client.signing import Draft

LIST = "class list, 500 children, reviewed and enrolled"
ROWS = 500
SECONDS = 5
_IN_A_CLASS = 50
_YEAR = 2026
_SCHOOL = {
    "name": "名单小学",
    "kind": "school",
    "division": TOWNSHIP,
    "institution_type": "primary",
    "ownership": "public",
}


class _Lists:
    """One list, which each turn brings for another school.

    Args:
        served: The installation.
        path: Where the workbook goes.
        amount: Children.
    """

    def __init__(self, served: Served, path: Path, amount: int) -> None:
        self._served = served
        self._path = path
        self._amount = amount
        self._school: Author | None = None

    def prepare(self) -> None:
        """Admit a school; before the first turn, register the children."""
        if self._school is None:
            self._register()
        self._school = operator_of(self._served.site.parts).admit(uuid4(), _SCHOOL)
        self._served.await_views()

    def bring(self) -> Measured:
        """Review the list, then enrol it as it was reviewed."""
        assert self._school is not None, "prepared"
        terms = Terms(self._school.key.organisation, TOWNSHIP, _YEAR, "primary", date(_YEAR, 9, 1))
        with Client(self._caller(self._school)) as client:

            def review() -> list[Pupil]:
                with self._path.open("rb") as file:
                    return reviewed(client, terms, list(ClassList(terms).read(file)))

            def work() -> int:
                known = digest(review())
                pupils = review()
                if digest(pupils) != known or any(one.verdict not in TAKEN for one in pupils):
                    raise RuntimeError("The list was not found as it was registered.")
                told = client.submit_batch([enrolment(terms, one) for one in pupils])
                return sum(one.problem is None for one in told)

            return once(work)

    def _register(self) -> None:
        """Register the children over HTTP, and write them down as a school does."""
        clinic = self._served.site.clinic
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(["班级", "姓名", "性别", "出生日期"])
        drafts = []
        for number in range(self._amount):
            name, born = f"名单{number}", f"2020-06-{number % 28 + 1:02}"
            sheet.append([f"一（{number // _IN_A_CLASS + 1}）班", name, "男", born])
            drafts.append(_registration(clinic.key.organisation, name, born))
        book.save(self._path)
        with Client(self._caller(clinic)) as client:
            if any(one.problem for one in client.submit_batch(drafts)):
                raise RuntimeError("Not every child was registered.")

    def _caller(self, author: Author) -> Caller:
        url = f"http://127.0.0.1:{self._served.port}"
        token = self._served.token(author.principal)
        return Caller(url, token, self._served.site.trust, author.key)


def _registration(clinic: UUID, name: str, born: str) -> Draft:
    child, mother = uuid4(), uuid4()
    data = {
        "kind": "child",
        "recipient": str(child),
        "guardians": [{"person": str(mother), "relation": "mother"}],
        "birth_year": int(born[:4]),
        "managing_organisation": str(clinic),
        "division": TOWNSHIP,
        "roll": "active",
    }
    private = {
        child: {"name": name, "sex": "male", "birth_date": born},
        mother: {"name": f"{name}母"},
    }
    return Draft(REGISTERED, new_id(), 0, data, private)


def contestants(served: Served, pace: Pace) -> list[Contestant]:
    """The list."""
    path = served.site.ground.new_folder("lists") / "list.xlsx"
    lists = _Lists(served, path, pace.amount(ROWS))
    return [
        Contestant(
            LIST,
            "rows/s",
            lambda _: lists.bring(),
            lists.prepare,
            note="XLSX, matched over HTTP twice, one signed batch",
        )
    ]
