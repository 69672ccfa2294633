"""The bar and the tabs of a page name what its reader may use, whoever was served before."""

import re

from flask.testing import FlaskClient

from schema.tables.staff import Role, Scope
from tests.card_server.web.conftest import LogIn
from tests.card_server.web.small_school import SmallSchool


def _bar(browser: FlaskClient, path: str, root: str = "") -> list[str]:
    page = browser.get(path, environ_overrides={"SCRIPT_NAME": root}).text
    nav = page.partition('<nav class="sections"')[2].partition("</nav>")[0]
    return re.findall(r'href="([^"]*)"', nav)


def test_each_sees_the_own_sections_in_whatever_order_they_come(
    staff: FlaskClient, log_in: LogIn, school: SmallSchool
) -> None:
    auditor = log_in(school.id, Role.AUDITOR, Scope.SCHOOL)
    guard = log_in(school.id, Role.GATE_GUARD, Scope.SCHOOL)
    district = log_in(None, Role.DISTRICT_ADMIN, Scope.DISTRICT)
    of_school = _bar(staff, "/board")
    assert {"/board", "/students", "/settings"} <= set(of_school)
    assert "/district" not in of_school
    for _ in range(2):
        assert _bar(auditor, "/audit") == ["/audit"]
        assert "/settings" not in _bar(guard, "/gate/held")
        assert set(_bar(district, "/district")) & set(of_school) == {"/audit"}
        assert _bar(staff, "/board") == of_school
    district.post(f"/district/enter/{school.id}")
    assert _bar(district, "/board") == ["/district", *of_school]
    district.post("/district/leave")
    assert "/board" not in _bar(district, "/district")
    below = _bar(staff, "/board", root="/card")
    assert below == [f"/card{address}" for address in of_school]
    assert _bar(staff, "/board") == of_school
