"""A well-made request to each address of the API that wants a body, a file or a query."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.harness.clock import ZONE

STOCK = ("04FFFFFFFFFF01", "04FFFFFFFFFF02")
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/cards"): {"uid": "04FFFFFFFFFF03"},
    ("POST", "/cards/search"): {"words": "zs"},
    ("POST", "/students/<student_id>/cards/lend"): {"number": STOCK[0]},
    ("POST", "/cards/<card_id>/lost"): {"reason": "操场"},
    ("POST", "/cards/<card_id>/found"): {"reason": "找到了"},
    ("POST", "/cards/<card_id>/back"): {"reason": "退卡"},
    ("POST", "/students/<student_id>/cards"): {"number": "04 0001 00000000"},
    ("POST", "/cards/<card_id>/replace"): {"number": STOCK[1]},
    ("POST", "/cards/<card_id>/end"): {"reason": "芯片坏了"},
    ("POST", "/students/search"): {"words": "zs"},
    ("POST", "/students"): {
        "number": "20269999",
        "name": "新生",
        "homeroom_id": 1,
        "on": "2026-09-01",
    },
    ("PATCH", "/students/<student_id>/record"): {"name": "张叁"},
    ("POST", "/students/<student_id>/notes"): {"body": "对花生过敏"},
    ("POST", "/students/<student_id>/numbers"): {"reason": "学籍核对"},
    ("PATCH", "/students/<student_id>/guardians/<guardian_id>"): {"further": ["010-62345678"]},
    ("PUT", "/students/<student_id>/guardians/<guardian_id>/wishes"): {
        "is_told": False,
        "language": "en",
    },
    ("POST", "/students/<student_id>/guardians/<guardian_id>/numbers"): {"reason": "家访"},
    ("POST", "/students/<student_id>/guardians/<guardian_id>/vouch"): {"reason": "当面拨通"},
    ("PUT", "/students/<student_id>/guardians/<guardian_id>/consent"): {"wording_id": 1},
    ("POST", "/students/<student_id>/guardians"): {
        "name": "张伟",
        "relation": "父亲",
        "phone": "139 0013 9000",
    },
    ("POST", "/invitations"): {"homeroom_id": 1},
    ("POST", "/consents"): {"homeroom_id": 1, "wording_id": 1},
    ("POST", "/notices"): {"chinese": "明天开家长会"},
    ("POST", "/notices/preview"): {"chinese": "明天开家长会"},
    ("POST", "/students/<student_id>/moves"): {"homeroom_id": 2, "on": "2026-11-20"},
    ("POST", "/students/<student_id>/boarding"): {"is_boarding": True, "on": "2026-11-20"},
    ("POST", "/students/<student_id>/status"): {"status": "suspended", "on": "2026-11-20"},
    ("POST", "/terms/<term_id>/registrations/<student_id>"): {"reason": "忘带卡"},
    ("POST", "/terms/<term_id>/registrations/<student_id>/remove"): {"reason": "登错了"},
    ("POST", "/terms"): {
        "school_year": 2026,
        "name": "第二学期",
        "starts_on": "2027-02-22",
        "ends_on": "2027-07-09",
    },
    ("PATCH", "/terms/<term_id>"): {"name": "秋季学期"},
    ("POST", "/recomputations"): {"first": "2026-09-01", "last": "2026-09-02"},
    ("POST", "/recomputations/<recomputation_id>/apply"): {"seen": "as-it-was"},
    ("POST", "/calendar"): {"day": "2026-12-03", "kind": "closed", "note": "运动会"},
    ("POST", "/calendar/proposals"): {
        "choices": [{"day": "2026-10-10", "is_accepted": True, "weekday": 4}]
    },
    ("PUT", "/message-texts/<kind>/<language>"): {"body": "{student}{time}到校"},
    ("POST", "/message-texts/<kind>/<language>/preview"): {"body": "{student}{time}到校"},
    ("PUT", "/message-texts/<kind>/<language>/codes/<provider>"): {"code": "SMS_154950909"},
    ("PATCH", "/message-rules"): {"per_number": 15, "price_per_segment": "0.038"},
    ("POST", "/message-rules/stop"): {"reason": "费用异常"},
    ("POST", "/message-rules/resume"): {"reason": "已查清"},
    ("POST", "/consent-wordings"): {"language": "zh", "body": "我同意学校发送到校短信。"},
    ("POST", "/district/messages/stop"): {"reason": "费用异常"},
    ("POST", "/district/messages/resume"): {"reason": "已查清"},
    ("PATCH", "/attendance-rules"): {"closes": "21:30", "late_points": "1.0"},
    ("POST", "/timetables"): {"name": "夏季", "starts_on": "2027-05-05"},
    ("PATCH", "/timetables/<timetable_id>"): {"name": "期中考试作息"},
    ("PUT", "/timetables/<timetable_id>/hours"): {
        "weekdays": [1, 2],
        "sessions": [
            {
                "name": "上午",
                "part": "morning",
                "arrive_from": "06:30",
                "late_after": "07:40",
                "absent_after": "08:20",
                "leave_from": "11:40",
                "ends": "11:40",
            }
        ],
    },
    ("POST", "/leave/<slip_id>/refuse"): {"reason": "没有医生证明"},
    ("POST", "/leave/<slip_id>/withdraw"): {"reason": "不去了"},
    ("POST", "/leave/search"): {"words": "zs", "first": "2026-09-01", "state": "asked"},
    ("POST", "/students/<student_id>/days/<day>/notes"): {"body": "已联系家长，十点到校"},
    ("POST", "/students/<student_id>/exemptions"): {
        "from_on": "2026-09-01",
        "last_on": "2026-09-05",
        "reason": "校队集训",
    },
    ("POST", "/attendance/evacuations"): {"reason": "消防演练"},
    ("POST", "/attendance/evacuations/<evacuation_id>/ticks"): {
        "ticks": [{"student_id": 1, "is_found": True}]
    },
    ("POST", "/students/<student_id>/passages"): {"direction": "out", "reason": "忘带卡"},
    ("POST", "/attendance/students/search"): {
        "first": "2026-09-01",
        "last": "2026-09-30",
        "words": "zs",
    },
    ("POST", "/attendance/campus/search"): {"words": "zs"},
    ("POST", "/board/students/search"): {"words": "zs", "status": "absent"},
    ("POST", "/attendance/findings/search"): {"words": "zs"},
    ("POST", "/attendance/findings/look"): {"key": "missed_exit:1:2026-09-01"},
    ("POST", "/attendance/findings/reopen"): {"key": "missed_exit:1:2026-09-01"},
    ("POST", "/campuses"): {"name": "东校区"},
    ("PATCH", "/campuses/<campus_id>"): {"name": "主校区"},
    ("PATCH", "/school"): {"late_after": "07:45"},
    ("POST", "/homerooms"): {"grade": 2, "name": "高二(1)班"},
    ("PATCH", "/homerooms/<homeroom_id>"): {"grade": 3},
    ("POST", "/readers"): {"code": "north", "name": "北门", "place": "北门"},
    ("PATCH", "/readers/<reader_id>"): {"direction": None},
    ("POST", "/readers/<reader_id>/retire"): {"reason": "北门拆除"},
    ("POST", "/readers/<reader_id>/bring-back"): {"reason": "又装上了"},
    ("POST", "/staff"): {
        "login": "new",
        "name": "新老师",
        "grants": [{"role": "librarian", "scope": "school"}],
    },
    ("PATCH", "/staff/<staff_id>"): {"name": "王主任"},
    ("POST", "/district/staff"): {
        "login": "area",
        "name": "区主任",
        "grants": [{"role": "district_admin", "scope": "district"}],
    },
    ("PATCH", "/district/staff/<staff_id>"): {"name": "区主任"},
    ("POST", "/schools"): {
        "code": "no9",
        "name": "第九中学",
        "signature": "九中",
        "zone": "Asia/Shanghai",
        "login": "ninth",
        "admin_name": "周老师",
    },
    ("POST", "/tokens"): {
        "name": "大屏",
        "grant": {"role": "librarian", "scope": "school"},
        "days": 7,
    },
    ("POST", "/messages/<message_id>/decision"): {"has_arrived": False, "reason": "母亲没有收到"},
    ("POST", "/messages/<message_id>/resend"): {"reason": "号码已更正"},
    ("POST", "/messages/limits/seen"): {"until": "2026-09-01T08:00:00Z"},
    ("POST", "/messages/numbers/<guardian_id>/free"): {"reason": "母亲来电"},
    ("POST", "/webhooks"): {"name": "数据中心", "url": "https://example.org/", "kinds": ["tap"]},
    ("PATCH", "/webhooks/<webhook_id>"): {"kinds": ["message", "card", "student"]},
    ("POST", "/roster/imports/<import_id>/import"): {"seen": "00" * 32},
    ("PUT", "/roster/imports/<import_id>/opening"): {"encoding": "utf-8"},
    ("PUT", "/roster/imports/<import_id>/columns"): {"columns": ["number", "name", "homeroom"]},
    ("PUT", "/roster/imports/<import_id>/package"): {"every_class": True},
    ("POST", "/roster/imports/<import_id>/mend"): {"without": [2]},
    ("PUT", "/roster/service"): {
        "url": "https://roster.example.org/ims/oneroster/v1p2",
        "token_url": "https://roster.example.org/token",
        "client_id": "campus",
        "secret": "open sesame",
    },
    ("POST", "/roster/export"): {"kind": "oneroster", "reason": "图书馆系统"},
    ("POST", "/students/<student_id>/data"): {"reason": "家长申请查阅"},
    ("POST", "/students/<student_id>/erase"): {"number": "20260001", "reason": "本人申请删除"},
    ("POST", "/promotion/preview"): {"choices": []},
    ("POST", "/promotion"): {"seen": "nothing"},
}
QUERIES = {
    ("GET", "/consents"): "?homeroom_id=1",
    ("GET", "/messages/costs"): "?first=2026-09-01&last=2026-09-30",
    ("GET", "/history"): "?subject=reader:1",
    ("GET", "/attendance/homerooms"): "?first=2026-09-01&last=2026-12-31",
    ("GET", "/attendance/students"): "?first=2026-09-01&last=2026-12-31",
    ("GET", "/calendar"): "?first=2026-09-01&last=2026-12-31",
    ("GET", "/calendar/proposals"): "?year=2026",
    ("GET", "/homerooms/<homeroom_id>/days"): "?first=2026-09-01&last=2026-09-30",
}
ROSTER = "学号,姓名,班级\n20270001,钱一,高一(1)班\n".encode()
EMPTY_ZIP = b"PK\5\6" + bytes(18)
FILES = {("POST", "/roster/imports"): ROSTER, ("POST", "/roster/photos"): EMPTY_ZIP}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)


def body_of(method: str, rule: str) -> Any:
    """The body that this address wants; None where it wants none."""
    return BODIES.get((method, rule)) or _make_dated().get((method, rule))


def _make_dated() -> Mapping[tuple[str, str], Any]:
    """Those that name a day which is, or comes, when they are sent."""
    today = datetime.now(ZONE)
    soon = today + timedelta(days=20)
    # Within the leave of leave_things.py.
    back = today + timedelta(days=7, hours=12)
    return {
        ("POST", "/students/<student_id>/leave"): {
            "kind": "personal",
            "from_on": f"{soon:%Y-%m-%d}",
            "reason": "家中有事",
        },
        ("POST", "/leave/<slip_id>/shorten"): {
            "until_on": f"{back:%Y-%m-%d}",
            "until_time": f"{back:%H:%M}",
            "reason": "提前返校",
        },
        ("POST", "/students/<student_id>/corrections"): {
            "day": f"{today:%Y-%m-%d}",
            "position": 0,
            "status": "present",
            "reason": "没带卡",
        },
        ("POST", "/homerooms/<homeroom_id>/corrections"): {
            "day": f"{today:%Y-%m-%d}",
            "position": 0,
            "reason": "读卡器坏了",
        },
        ("POST", "/homerooms/<homeroom_id>/corrections/end"): {"day": f"{today:%Y-%m-%d}"},
        ("POST", "/exemptions/<exemption_id>/end"): {"on": f"{soon:%Y-%m-%d}"},
        ("POST", "/attendance/roll-call"): {
            "day": f"{today - timedelta(hours=12):%Y-%m-%d}",
            "students": [{"student_id": 1, "is_here": True}],
        },
        ("POST", "/attendance/waiting/<reader_id>"): {
            "day": f"{today:%Y-%m-%d}",
            "reason": "网络中断",
        },
    }
