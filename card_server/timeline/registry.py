"""Every source of the timeline: a new one is a file and a line here."""

from card_server.timeline.cards import CARDS
from card_server.timeline.corrections import CORRECTIONS
from card_server.timeline.day_notes import DAY_NOTES
from card_server.timeline.days import DAYS
from card_server.timeline.homerooms import HOMEROOMS
from card_server.timeline.leave import LEAVE
from card_server.timeline.messages import MESSAGES
from card_server.timeline.notes import NOTES
from card_server.timeline.passages import PASSAGES
from card_server.timeline.protocol import Source
from card_server.timeline.registrations import REGISTRATIONS
from card_server.timeline.roll_calls import ROLL_CALLS
from card_server.timeline.taps import TAPS

SOURCES: tuple[Source, ...] = (
    TAPS,
    DAYS,
    MESSAGES,
    CARDS,
    LEAVE,
    CORRECTIONS,
    DAY_NOTES,
    PASSAGES,
    ROLL_CALLS,
    REGISTRATIONS,
    HOMEROOMS,
    NOTES,
)
