"""Every list that can be taken away as a file: a new one is a file and a line here."""

from card_server.exports.audit import AUDIT
from card_server.exports.cards import CARDS
from card_server.exports.enrolment import NOT_REGISTERED
from card_server.exports.findings import FINDINGS
from card_server.exports.leave_register import LEAVE_REGISTER
from card_server.exports.lists import ExportList
from card_server.exports.messages import MESSAGES
from card_server.exports.on_campus import ON_CAMPUS
from card_server.exports.student_ranking import STUDENT_RANKING
from card_server.exports.students import STUDENTS
from card_server.exports.taps import TAPS
from card_server.exports.today_list import TODAY_LIST

LISTS: dict[str, ExportList] = {
    one.name: one
    for one in (
        AUDIT,
        CARDS,
        FINDINGS,
        LEAVE_REGISTER,
        MESSAGES,
        NOT_REGISTERED,
        ON_CAMPUS,
        STUDENTS,
        STUDENT_RANKING,
        TAPS,
        TODAY_LIST,
    )
}
