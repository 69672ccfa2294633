"""What the choices around messages to guardians are called."""

from enum import StrEnum

from flask_babel import LazyString, lazy_gettext

from card_server.messages.waiting import WaitReason
from schema.tables.messages import LimitScope, MessageKind, MessageState, StopBy, Suppression
from schema.tables.people import Channel

MESSAGE_WORDS: dict[type[StrEnum], dict[str, LazyString]] = {
    Channel: {
        Channel.SMS: lazy_gettext("SMS"),
        Channel.WECOM: lazy_gettext("WeCom"),
    },
    MessageKind: {
        MessageKind.ARRIVAL: lazy_gettext("arrival"),
        MessageKind.DEPARTURE: lazy_gettext("departure"),
        MessageKind.LATE: lazy_gettext("late arrival"),
        MessageKind.ABSENCE: lazy_gettext("absence"),
        MessageKind.ARRIVED: lazy_gettext("arrived after all"),
        MessageKind.LEAVE: lazy_gettext("leave decided"),
        MessageKind.LIBRARY: lazy_gettext("library book due"),
        MessageKind.LAB: lazy_gettext("computer lab"),
        MessageKind.NOTICE: lazy_gettext("school notice"),
        MessageKind.INVITATION: lazy_gettext("link to the parents' page"),
        MessageKind.CODE: lazy_gettext("code"),
    },
    MessageState: {
        MessageState.QUEUED: lazy_gettext("queued"),
        MessageState.SENDING: lazy_gettext("sending"),
        MessageState.ACCEPTED: lazy_gettext("sent"),
        MessageState.DELIVERED: lazy_gettext("delivered"),
        MessageState.UNDELIVERED: lazy_gettext("not delivered"),
        MessageState.FAILED: lazy_gettext("failed"),
        MessageState.UNKNOWN: lazy_gettext("unclear"),
        MessageState.SUPPRESSED: lazy_gettext("not sent"),
    },
    Suppression: {
        Suppression.STALE: lazy_gettext("known too late"),
        Suppression.CLOCK_SUSPECT: lazy_gettext("the reader's clock was wrong"),
        Suppression.DUPLICATE: lazy_gettext("the same arrival or departure as another tap's"),
        Suppression.WITHDRAWN: lazy_gettext("turned out otherwise before it was sent"),
        Suppression.STOPPED: lazy_gettext("the guardian wants no messages at this number"),
        Suppression.NUMBER_BAD: lazy_gettext("the number cannot get messages"),
        Suppression.NUMBER_CHANGED: lazy_gettext("the guardian or the number has changed since"),
        Suppression.UNVERIFIED: lazy_gettext("the number was never confirmed"),
        Suppression.NO_CONSENT: lazy_gettext("the guardian has not agreed to messages"),
        Suppression.QUIET: lazy_gettext("too late when the quiet hours end"),
        Suppression.LIMIT: lazy_gettext("a limit of the day was reached"),
    },
    WaitReason: {
        WaitReason.SWITCH: lazy_gettext("All messages of the school are stopped"),
        WaitReason.UNDER_WAY: lazy_gettext("Is being handed over"),
        WaitReason.TURN: lazy_gettext("Is sent in a moment"),
        WaitReason.BEHIND: lazy_gettext("Is due, but nothing sends it: is the notifier running?"),
        WaitReason.RETRY: lazy_gettext("Was not taken, and is tried again"),
        WaitReason.CARRIER: lazy_gettext("The carrier fails and is passed over for a while"),
        WaitReason.QUIET: lazy_gettext("Quiet hours"),
    },
    StopBy: {
        StopBy.REPLY: lazy_gettext("by a reply"),
        StopBy.PAGE: lazy_gettext("on the parents' page"),
        StopBy.STAFF: lazy_gettext("by staff"),
        StopBy.PROVIDER: lazy_gettext("at the carrier"),
    },
    LimitScope: {
        LimitScope.NUMBER: lazy_gettext("messages to one number"),
        LimitScope.NUMBER_AND_KIND: lazy_gettext("messages of one kind to one number"),
        LimitScope.STUDENT: lazy_gettext("messages about one student"),
        LimitScope.SCHOOL: lazy_gettext("messages or money of the whole school"),
    },
}
