"""The texts that come with the system, by kind and language, and what may stand in each.

The Chinese ones are one SMS with any signature and a name of four characters, but for the link,
which is long itself. No two values stand side by side: carriers in China approve no such text.
"""

from typing import Final

from schema.tables.messages import MessageKind
from schema.tables.people import Language

SLOTS: Final[dict[MessageKind, tuple[str, ...]]] = {
    MessageKind.ARRIVAL: ("student", "time"),
    MessageKind.DEPARTURE: ("student", "time"),
    MessageKind.LATE: ("student", "time", "minutes"),
    MessageKind.ABSENCE: ("student", "date", "session", "time"),
    MessageKind.ARRIVED: ("student", "time"),
    MessageKind.LEAVE: ("student", "from", "until", "decision"),
    MessageKind.LIBRARY: ("student", "title", "date"),
    MessageKind.LAB: ("student", "time", "minutes"),
    MessageKind.NOTICE: ("text",),
    MessageKind.INVITATION: ("link",),
    MessageKind.CODE: ("code", "minutes"),
}
"""What can stand in a text, as {student}. Of an absence `time` is when it was judged."""

OBLIGATORY: Final[dict[MessageKind, tuple[str, ...]]] = {
    MessageKind.ARRIVAL: ("student", "time"),
    MessageKind.DEPARTURE: ("student", "time"),
    MessageKind.LATE: ("student", "time"),
    MessageKind.ABSENCE: ("student", "date"),
    MessageKind.ARRIVED: ("student", "time"),
    MessageKind.LEAVE: ("student", "decision"),
    MessageKind.LIBRARY: ("student", "title", "date"),
    MessageKind.LAB: ("student", "time"),
    MessageKind.NOTICE: ("text",),
    MessageKind.INVITATION: ("link",),
    MessageKind.CODE: ("code",),
}
"""Without these a text would not tell what it is for."""

_CHINESE: Final = {
    MessageKind.ARRIVAL: "家长您好，{student}已于{time}进入学校。",
    MessageKind.DEPARTURE: "家长您好，{student}已于{time}离开学校。",
    MessageKind.LATE: "家长您好，{student}于{time}到校，迟到{minutes}分钟。",
    MessageKind.ABSENCE: (
        "家长您好，{student}于{date}（{session}）截至{time}未到校，也未请假，请联系班主任。"
    ),
    MessageKind.ARRIVED: "家长您好，{student}已于{time}到校，请放心。",
    MessageKind.LEAVE: "家长您好，{student}自{from}至{until}的请假{decision}。",
    MessageKind.LIBRARY: "家长您好，{student}借的《{title}》于{date}到期，请提醒归还。",
    MessageKind.LAB: "家长您好，{student}从{time}起在机房上机{minutes}分钟，现已结束。",
    MessageKind.NOTICE: "家长您好：{text}",
    MessageKind.INVITATION: "家长您好，开通到校通知请点：{link}",
    MessageKind.CODE: "验证码{code}，{minutes}分钟内有效，请勿告诉他人。",
}
_ENGLISH: Final = {
    MessageKind.ARRIVAL: "Dear parent, {student} entered the school at {time}.",
    MessageKind.DEPARTURE: "Dear parent, {student} left the school at {time}.",
    MessageKind.LATE: "Dear parent, {student} arrived at {time}, {minutes} min late.",
    MessageKind.ABSENCE: (
        "Dear parent, {student} was absent at {time} on {date} ({session}), without leave. "
        "Please call the school."
    ),
    MessageKind.ARRIVED: "Dear parent, {student} has now arrived at school, at {time}.",
    MessageKind.LEAVE: (
        "Dear parent, the leave of {student} from {from} until {until} was {decision}."
    ),
    MessageKind.LIBRARY: "Dear parent, {student} has borrowed “{title}”. It is due on {date}.",
    MessageKind.LAB: "Dear parent, {student} used a school computer from {time} for {minutes} min.",
    MessageKind.NOTICE: "Dear parent: {text}",
    MessageKind.INVITATION: "Dear parent, please open this to be told of your child's day: {link}",
    MessageKind.CODE: "Your code is {code}, valid for {minutes} min. Please tell it to nobody.",
}
DEFAULTS: Final[dict[tuple[MessageKind, Language], str]] = {
    **{(kind, Language.CHINESE): body for kind, body in _CHINESE.items()},
    **{(kind, Language.ENGLISH): body for kind, body in _ENGLISH.items()},
}
"""The text of each kind and language, without the signature."""

SAMPLES: Final[dict[Language, dict[str, str]]] = {
    Language.CHINESE: {
        "student": "欧阳小明",
        "time": "07:31",
        "minutes": "25",
        "date": "12月28日",
        "session": "上午",
        "from": "12月28日08:00",
        "until": "12月30日17:30",
        "decision": "未获批准",
        "title": "十万个为什么",
        "text": "明天下午三点召开家长会，请准时参加。",
        "link": "https://card.example.cn/p/7KQ2M9WX4TFH8DV3C6RN5YJE",
        "code": "482913",
    },
    Language.ENGLISH: {
        "student": "Ouyang Xiaoming",
        "time": "07:31",
        "minutes": "25",
        "date": "28 Dec",
        "session": "morning",
        "from": "28 Dec 08:00",
        "until": "30 Dec 17:30",
        "decision": "not approved",
        "title": "Charlotte's Web",
        "text": "The parents' meeting is tomorrow at 3 pm.",
        "link": "https://card.example.cn/p/7KQ2M9WX4TFH8DV3C6RN5YJE",
        "code": "482913",
    },
}
"""What fills a text where it is only looked at; long rather than short."""
