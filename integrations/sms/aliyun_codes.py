"""What the codes of Aliyun's SMS mean, and the sentences that staff see.

Source: https://help.aliyun.com/document_detail/101346.html (codes of the API),
https://help.aliyun.com/document_detail/101347.html (codes of receipts),
https://help.aliyun.com/zh/sms/error-code-intl (messages abroad: the same codes without "isv.") and
the error codes that all of Aliyun's APIs share. Aliyun's own texts are never passed on: they may
hold the number.
"""

import re
from typing import Final

from integrations.sms.answers import Meaning, explain_code, explain_status
from integrations.sms.protocol import SendError, Verdict

_A, _P = Verdict.AMBIGUOUS, Verdict.PERMANENT
_Q, _N, _T = Verdict.QUOTA, Verdict.NUMBER_QUOTA, Verdict.TEMPORARY


def explain_refusal(code: str, status: int, retry_after_s: float | None) -> SendError:
    """The error for an answer without OK. Whatever is not known for sure is ambiguous."""
    known = _meaning_of(code)
    if status == 429 or known is _THROTTLED:
        known = _THROTTLED
    elif not code:
        return explain_status("Aliyun", status, retry_after_s)
    elif status >= 500:
        known = Meaning(_A, _FAILED)
    elif known is None:
        known = Meaning(_T if status >= 400 else _A, _LOOK_UP)
    return explain_code(_name(code), known, retry_after_s)


def explain_receipt(code: str) -> tuple[str, bool]:
    """Why a message was not delivered, for staff, and whether the number is bad.

    Aliyun's own refusals come as receipts too, when it only noticed later.
    """
    row = RECEIPTS.get(code) or RECEIPTS.get(code.partition(":")[0])
    refusal = _meaning_of(code)
    if row is None and refusal is not None:
        row = (refusal.sentence, refusal.is_number_bad)
    sentence, is_number_bad = row or _UNHEARD_OF
    return f"{_name(code)}: {sentence}", is_number_bad


def _meaning_of(code: str) -> Meaning | None:
    """Its own row, else that of its family (of Throttling.User: Throttling), if there is one."""
    family = code.partition(".")[0]
    return CODES.get(code) or CODES.get(f"isv.{code}") or CODES.get(family)


def _name(code: str) -> str:
    """The carrier's name with the code, or without it if it is not one: it may hold anything."""
    return f"Aliyun {code}" if _CODE.fullmatch(code) else "Aliyun"


_CODE: Final = re.compile(r"(?!.*[0-9]{7})[0-9A-Za-z_.:-]{1,64}")

_CREDENTIALS: Final = "Aliyun does not accept the AccessKey ID or its secret."
_PERMISSION: Final = "The RAM user may not do this; give it the rights for SMS."
_CLOCK: Final = "This server's clock is more than 15 minutes wrong."
_REQUEST: Final = "Aliyun does not understand the request; look the code up."
_CREDIT: Final = "The account's credit or its package of messages is used up."
_STOPPED: Final = "The account's SMS is stopped, mostly because its credit is used up."
_NOT_BOUGHT: Final = "SMS is not activated for this Aliyun account."
_SIGNATURE: Final = "The school's signature is not approved under this account."
_EXTENSION: Final = "The signature's extension code does not fit; ask Aliyun."
_SLOTS: Final = "The template's variables are not those that the system fills."
_WORDS: Final = "The text holds words or signs that Aliyun does not send."
_FAILED: Final = "Aliyun failed: the message may have been accepted."
_LOOK_UP: Final = "Aliyun refuses the request; look the code up."
_THROTTLED: Final = Meaning(_T, "Too many requests at once.")

CODES: Final[dict[str, Meaning]] = {
    # The account: nothing can leave until somebody has put it right.
    "InvalidAccessKeyId": Meaning(_T, _CREDENTIALS),
    "InvalidAccessKeyId.NotFound": Meaning(_T, "Aliyun does not know the AccessKey ID."),
    "InvalidAccessKeyId.Inactive": Meaning(_T, "The AccessKey is disabled."),
    "InvalidAccessKeySecret": Meaning(_T, _CREDENTIALS),
    "InvalidSecurityToken": Meaning(_T, _CREDENTIALS),
    "IncompleteSignature": Meaning(_T, _CREDENTIALS),
    "MissingAccessKeyId": Meaning(_T, _CREDENTIALS),
    "SignatureDoesNotMatch": Meaning(_T, "The AccessKey secret is wrong."),
    "Forbidden": Meaning(_T, _PERMISSION),
    "Forbidden.AccessKeyDisabled": Meaning(_T, "The AccessKey is disabled."),
    "NoPermission": Meaning(_T, _PERMISSION),
    "isp.RAM_PERMISSION_DENY": Meaning(_T, _PERMISSION),
    "isv.RAM_PERMISSION_DENY": Meaning(_T, _PERMISSION),
    "isv.RAM_CHECK_FAILED": Meaning(_T, _PERMISSION),
    "isv.ACCOUNT_NOT_EXISTS": Meaning(_T, "The Aliyun account does not exist."),
    "isv.ACCOUNT_ABNORMAL": Meaning(_T, "Something is wrong with the Aliyun account; ask Aliyun."),
    "isv.ACCOUNT_ILLEGAL": Meaning(_T, "Aliyun has barred the account from sending."),
    "isv.SECURITY_FROZEN_ACCOUNT": Meaning(_T, "Aliyun has frozen the account."),
    "isv.FORBIDDEN_ACTION": Meaning(_T, "Aliyun has barred the account from sending."),
    "isv.PRODUCT_UNSUBSCRIBE": Meaning(_T, _NOT_BOUGHT),
    "isv.PRODUCT_UN_SUBSCRIPT": Meaning(_T, _NOT_BOUGHT),
    "isv.PRODUCT_NOT_SUBSCRIBED": Meaning(_T, _NOT_BOUGHT),
    "isv.DENY_IP_RANGE": Meaning(
        _T, "Aliyun sends to mainland numbers only for servers in mainland China."
    ),
    "InvalidTimeStamp": Meaning(_T, _CLOCK),
    # What is used up.
    "Throttling": _THROTTLED,
    "isv.QPS_LIMIT_CONTROL": _THROTTLED,
    "isv.AMOUNT_NOT_ENOUGH": Meaning(_Q, _CREDIT),
    "isv.OUT_OF_SERVICE": Meaning(_Q, _STOPPED),
    "isv.BUSINESS_LIMIT_CONTROL": Meaning(_N, "The number has had its messages for now."),
    "BUSINESS_LIMIT_CONTROL_MINUTE": Meaning(_N, "The number has had its messages of the minute."),
    "BUSINESS_LIMIT_CONTROL_PHONE": Meaning(_N, "The number has had its messages for now."),
    "isv.BUSINESS_LIMIT_HOUR": Meaning(_N, "The number has had its messages of the hour."),
    "isv.BUSINESS_LIMIT_DAY": Meaning(_N, "The number has had its messages of the day."),
    "isv.DAY_LIMIT_CONTROL": Meaning(_Q, "The account's limit of the day is reached."),
    "isv.MONTH_LIMIT_CONTROL": Meaning(_Q, "The account's limit of the month is reached."),
    # The signature and the template: another carrier may have them approved.
    "isv.SMS_SIGNATURE_ILLEGAL": Meaning(_T, _SIGNATURE),
    "isv.SMS_SIGN_NAME_ILLEGAL": Meaning(_T, _SIGNATURE),
    "isv.SMS_SIGN_ILLEGAL": Meaning(_T, "Aliyun has banned the school's signature."),
    "isv.SIGNATURE_BLACKLIST": Meaning(_T, "Aliyun has banned the school's signature."),
    "isv.SIGN_NAME_ILLEGAL": Meaning(_T, "The school's signature is not a valid one."),
    "isv.SIGN_STATE_ILLEGAL": Meaning(_T, "The school's signature is not usable now."),
    "isv.SIGN_SOURCE_ILLEGAL": Meaning(_T, "The school's signature must be applied for anew."),
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": Meaning(
        _T, "The school's signature is for codes only; apply for a general one."
    ),
    "PORT_NOT_REGISTERED": Meaning(
        _T, "The networks have not registered the school's signature yet."
    ),
    "isv.SMS_TEMPLATE_ILLEGAL": Meaning(_T, "The template is not approved under this account."),
    "isv.SMS_CONTENT_CODE_ILLEGAL": Meaning(_T, "The template is not approved under this account."),
    "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE": Meaning(
        _T, "The text does not fit the kind of its template; apply for it as a notice."
    ),
    "isv.TEMPLATE_MISSING_PARAMETERS": Meaning(_T, _SLOTS),
    "isv.CONTENT_MISSING_PARAMETERS": Meaning(_T, _SLOTS),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": Meaning(
        _T, "The template is for numbers abroad; apply for one for mainland numbers."
    ),
    "isv.COUNTRY_RESTRICTED": Meaning(_T, "This way does not serve mainland numbers."),
    "isv.NOT_SUPPORTED_COUNTRY": Meaning(_T, "Aliyun does not send to this country."),
    "isv.SMS_TEST_NUMBER_LIMIT": Meaning(
        _T, "A test signature or template sends only to numbers that were bound to it."
    ),
    "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT": Meaning(
        _T, "A test signature goes only with a test template, and the other way round."
    ),
    "isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL": Meaning(
        _T, "A test template takes only a code of 4 to 6 digits."
    ),
    "isv.EXTEND_CODE_ERROR": Meaning(_T, _EXTENSION),
    "isv.ONE_CODE_MULTIPLE_SIGN": Meaning(_T, _EXTENSION),
    "isv.CODE_EXCEED_LIMIT": Meaning(_T, _EXTENSION),
    "isv.CODE_ERROR": Meaning(_T, _EXTENSION),
    # The parent's number.
    "isv.MOBILE_NUMBER_ILLEGAL": Meaning(_P, "The number is not valid.", True),
    "isv.PHONE_NUMBER_ILLEGAL": Meaning(_P, "The number is not valid.", True),
    "isv.CUSTOMER_REFUSED": Meaning(_P, "The parent has unsubscribed from this sender.", True),
    "isv.MOBILE_COUNT_OVER_LIMIT": Meaning(_P, "Too many numbers in one request."),
    "isv.PHONE_NUMBER_COUNT_OVER_LIMIT": Meaning(_P, "Too many numbers in one request."),
    # The text, and what fills it.
    "isv.PARAM_LENGTH_LIMIT": Meaning(_P, "A variable is too long, mostly a name."),
    "isv.PARAM_NOT_SUPPORT_URL": Meaning(_P, "A variable holds an address, which is forbidden."),
    "isv.TEMPLATE_PARAMS_ILLEGAL": Meaning(
        _P, "A variable does not fit the kind that its template names."
    ),
    "isv.SMS_CONTENT_ILLEGAL": Meaning(_P, _WORDS),
    "isv.UNSUPPORTED_CONTENT": Meaning(_P, _WORDS),
    "isv.BLACK_KEY_CONTROL_LIMIT": Meaning(
        _P, "The number or a word of the text is on Aliyun's blacklist."
    ),
    "isv.SMS_SECURITY_INTERCEPTED": Meaning(_P, "Aliyun's risk control stopped the message."),
    # The request.
    "isv": Meaning(_T, _LOOK_UP),
    "isv.INVALID_PARAMETERS": Meaning(_T, _REQUEST),
    "isv.INVALID_JSON_PARAM": Meaning(_T, _REQUEST),
    "isv.QUERY_DATE_ILLEGAL": Meaning(_T, "Aliyun tells only of the last 30 days."),
    "isv.DATA_NOT_EXIST": Meaning(_T, "Aliyun has no such record yet."),
    "InvalidAction": Meaning(_T, _REQUEST),
    "InvalidParameter": Meaning(_T, _REQUEST),
    "InvalidVersion": Meaning(_T, _REQUEST),
    "MissingParameter": Meaning(_T, _REQUEST),
    "MissingPhoneNumbers": Meaning(_T, _REQUEST),
    "MissingSignName": Meaning(_T, "The school's signature is missing."),
    "MissingTemplateCode": Meaning(_T, "The template's code is missing."),
    "PARAMS_ILLEGAL": Meaning(_T, _REQUEST),
    "UnsupportedHTTPMethod": Meaning(_T, _REQUEST),
    # Nobody can tell.
    "SignatureNonceUsed": Meaning(
        _A, "The request arrived twice: the first may have been accepted."
    ),
    "InternalError": Meaning(_A, _FAILED),
    "ServiceUnavailable": Meaning(_A, _FAILED),
    "isp": Meaning(_A, _FAILED),
    "isp.SYSTEM_ERROR": Meaning(_A, _FAILED),
    "isp.GATEWAY_ERROR": Meaning(_A, _FAILED),
    "isp.UNKNOWN": Meaning(_A, _FAILED),
    "isv.SYSTEM_ERROR": Meaning(_A, _FAILED),
    "isv.BILLING_DEDUCTION_ERROR": Meaning(_A, _FAILED),
    "isv.ONLINE_BILLING_FAILED": Meaning(_A, _FAILED),
}
"""A code with which Aliyun refuses a request → what it means; "isv" and the like are families."""

STILL_WAITING: Final = "REQUEST_SUCCESS"
"""The receipt that says that there is none from the network yet."""

_UNREACHED: Final = "The number is switched off, out of reach, out of service or not in use."
_SHORT_OF_ROOM: Final = "The phone cannot take it: full, faulty or not allowed in the network."
_BARRED: Final = "The number is barred or in arrears, or moved to another network."
_OPTED_OUT: Final = "The parent has unsubscribed, or the network bars messages to the number."
_REFUSED: Final = "The network refused the message and gave no reason."

RECEIPTS: Final[dict[str, tuple[str, bool]]] = {
    "MOBILE_NOT_ON_SERVICE": (_UNREACHED, False),
    "INVALID_NUMBER": (_UNREACHED, False),
    "MOBILE_ACCOUNT_ABNORMAL": (_BARRED, False),
    "MOBILE_IN_BLACK": (_OPTED_OUT, True),
    "USER_REJECT": (_OPTED_OUT, True),
    "MOBILE_SEND_LIMIT": ("The number has had its messages for now.", False),
    "MOBILE_TERMINAL_ERROR": (_SHORT_OF_ROOM, False),
    "MOBLLE_TERMINAL_ERROR": (_SHORT_OF_ROOM, False),  # as Aliyun writes it
    "CONTENT_KEYWORD": ("The network filtered the message out for a word in it.", False),
    "CONTENT_ERROR": ("The network wants a way to unsubscribe in the text.", False),
    "SIGNATURE_BLACKLIST": ("The network has banned the school's signature.", False),
    "NO_ROUTE": ("Aliyun has no way to send this text now.", False),
    "IS_CLOSE": ("Aliyun's way to the network was closed.", False),
    "SP_NOT_BY_INTER_SMS": ("The number takes no messages from abroad.", False),
    "SP_UNKNOWN_ERROR": (_REFUSED, False),
    "EXPIRED": ("The phone was off or out of reach until the message expired.", False),
    "REJECTD": (_REFUSED, False),
    "UNDELIV": (_REFUSED, False),
    "UNKNOWN": (_REFUSED, False),
    "DELETED": ("The network deleted the message.", False),
    STILL_WAITING: ("The network has not said what became of it.", False),
    # China Mobile's own, which Aliyun passes on when it has no word for them.
    "MK:0001": ("The network does not know the number.", True),
    "MK": (_UNREACHED, False),
    "MI": (_UNREACHED, False),
    "MN": (_UNREACHED, False),
}
"""A receipt's code → why it was not delivered, and whether the number is bad; "MK" is a family."""

_UNHEARD_OF: Final = ("The message was not delivered; look the code up.", False)
