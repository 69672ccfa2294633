"""What the codes of WeCom (企业微信) mean for a message, and the sentences that staff see.

Source: https://developer.work.weixin.qq.com/document/path/90455. A code other than 0 says that the
call failed.
"""

from typing import Final

from integrations.sms.answers import Meaning
from integrations.sms.protocol import Verdict

_A, _P = Verdict.AMBIGUOUS, Verdict.PERMANENT
_Q, _T = Verdict.QUOTA, Verdict.TEMPORARY

UNKNOWN_PARENT: Final = Meaning(
    _P, "WeCom does not know the parent, or the app may not write to this parent.", True
)
_REQUEST: Final = Meaning(_T, "WeCom does not understand the request; look the code up.")
_TOKEN: Final = Meaning(_T, "WeCom does not accept the access token that it gave.")

SPENT_TOKEN: Final = (40014, 42001)
"""The access token is not valid, or no longer: a new one is needed."""

CODES: Final[dict[int, Meaning]] = {
    # WeCom advises to try again, but does not say that nothing was done.
    -1: Meaning(_A, "WeCom is busy; it does not say whether it took the message."),
    6000: Meaning(_T, "Something else changed at WeCom at the same moment."),
    # The company, the app and its secret: nothing can leave until somebody has put it right.
    40001: Meaning(_T, "The app's secret is wrong."),
    40013: Meaning(_T, "The company's id is wrong."),
    40014: _TOKEN,
    40056: Meaning(_T, "The app's id is wrong."),
    40091: Meaning(_T, "The secret belongs to another company."),
    41001: _TOKEN,
    41002: Meaning(_T, "The company's id is missing."),
    41004: Meaning(_T, "The app's secret is missing."),
    41011: Meaning(_T, "The app's id is missing."),
    42001: _TOKEN,
    48001: Meaning(_T, "The app may not call this interface."),
    48002: Meaning(
        _T, "The app may not call this interface: add it to those that parents may use."
    ),
    50003: Meaning(_T, "The app is disabled."),
    60011: Meaning(_T, "The app may not reach this parent's class: widen its range."),
    60020: Meaning(_T, "This server's address is not on the app's list of trusted ones."),
    301002: Meaning(_T, "The secret is not the one of this app: use the secret of the app's own."),
    # What is used up.
    45009: Meaning(_Q, "The app has called WeCom as often as it may for now."),
    45033: Meaning(_T, "Too many requests at once."),
    # The parent.
    40003: UNKNOWN_PARENT,
    40031: UNKNOWN_PARENT,
    46004: UNKNOWN_PARENT,
    60111: UNKNOWN_PARENT,
    81013: UNKNOWN_PARENT,
    82001: UNKNOWN_PARENT,
    84061: UNKNOWN_PARENT,
    # The text.
    44004: Meaning(_P, "The text is missing."),
    45002: Meaning(_P, "The text is too long."),
    # The request itself.
    40008: _REQUEST,
    40033: _REQUEST,
    40035: _REQUEST,
    40058: _REQUEST,
    43002: _REQUEST,
    44002: _REQUEST,
    47001: _REQUEST,
}
"""The code (errcode) → what it means for the message."""

UNHEARD_OF: Final = Meaning(_T, "WeCom refuses the message; look the code up.")
