"""What the codes of Tencent Cloud's SMS mean, and the sentences that staff see.

Source: the SDK's own list (sms/v20210111/errorcodes.py), the common error codes of Tencent Cloud's
API 3.0, and the receipt codes of https://www.tencentcloud.com/document/product/382/35462 and
https://cloud.tencent.com/document/product/382/3771.
"""

from typing import Final

from integrations.sms.answers import Meaning
from integrations.sms.protocol import Verdict

_A, _P = Verdict.AMBIGUOUS, Verdict.PERMANENT
_Q, _N, _T = Verdict.QUOTA, Verdict.NUMBER_QUOTA, Verdict.TEMPORARY


def meaning_of(code: str) -> Meaning:
    """What a refusal with this code means: its own row, else that of its family (before the dot).

    A family that is not known may be an inner failure, after which nobody can tell.
    """
    return CODES.get(code) or CODES.get(code.partition(".")[0]) or _UNHEARD_OF


_UNHEARD_OF: Final = Meaning(_A, "Tencent refuses the request; look the code up.")

_REQUEST: Final = "Tencent does not understand the request; look the code up."
_CLERKS: Final = "It concerns applications for signatures and templates, not messages."
_FAILED: Final = "Tencent failed within."

CODES: Final[dict[str, Meaning]] = {
    # The account and its keys: nothing can leave until somebody has put it right.
    "AuthFailure": Meaning(_T, "Tencent does not accept the account's secret id and key."),
    "AuthFailure.InvalidAuthorization": Meaning(_T, "Tencent cannot read the signature."),
    "AuthFailure.InvalidSecretId": Meaning(_T, "The secret id is not one of an API key."),
    "AuthFailure.MFAFailure": Meaning(_T, "Tencent asks the account for a second factor."),
    "AuthFailure.SecretIdNotFound": Meaning(_T, "The secret id does not exist or is disabled."),
    "AuthFailure.SignatureExpire": Meaning(_T, "This server's clock is more than 5 minutes wrong."),
    "AuthFailure.SignatureFailure": Meaning(_T, "The secret key is wrong."),
    "AuthFailure.TokenFailure": Meaning(_T, "Tencent does not accept the account's token."),
    "AuthFailure.UnauthorizedOperation": Meaning(_T, "The account may not send messages."),
    "UnauthorizedOperation": Meaning(_T, "The account may not do this."),
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": Meaning(
        _T, "A personal account may not send marketing; apply for the template as a notice."
    ),
    "UnauthorizedOperation.RequestIpNotInWhitelist": Meaning(
        _T, "This server's address is not on the application's list of allowed ones."
    ),
    "UnauthorizedOperation.RequestPermissionDeny": Meaning(_T, "The account may not do this."),
    "UnauthorizedOperation.SdkAppIdIsDisabled": Meaning(_T, "The SMS application is disabled."),
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": Meaning(
        _T, "The SMS application does not belong to this account."
    ),
    "InvalidParameter.AppidAndBizId": Meaning(
        _T, "The SMS application does not belong to this account."
    ),
    "InvalidParameterValue.SdkAppIdNotExist": Meaning(_T, "The SMS application does not exist."),
    "IpInBlacklist": Meaning(_T, "Tencent blocks this server's address."),
    "IpNotInWhitelist": Meaning(_T, "This server's address is not on the account's list."),
    # What is used up: of the account, or of this number or its country alone.
    "FailedOperation.InsufficientBalanceInSmsPackage": Meaning(
        _Q, "The package of messages is used up: buy another."
    ),
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Meaning(
        _Q, "The account is in arrears: pay, and messages go out again."
    ),
    "LimitExceeded": Meaning(_Q, "A limit of the account is reached."),
    "LimitExceeded.AppCountryOrRegionDailyLimit": Meaning(
        _N, "The application's limit of the day for this country is reached."
    ),
    "LimitExceeded.AppCountryOrRegionInBlacklist": Meaning(
        _N, "The application may not send to this country; allow it in the console."
    ),
    "LimitExceeded.AppDailyLimit": Meaning(_Q, "The application's limit of the day is reached."),
    "LimitExceeded.AppGlobalDailyLimit": Meaning(
        _N, "The application's limit of the day for other countries is reached."
    ),
    "LimitExceeded.AppMainlandChinaDailyLimit": Meaning(
        _Q, "The application's limit of the day for mainland China is reached."
    ),
    "LimitExceeded.DailyLimit": Meaning(
        _N, "The account's limit of the day for other countries is reached."
    ),
    "LimitExceeded.DeliveryFrequencyLimit": Meaning(
        _N, "The number has had as many messages in a short time as the application allows."
    ),
    "LimitExceeded.GlobalSmsSendingRateLimit": Meaning(
        _N, "Too many messages to other countries in a short time."
    ),
    "LimitExceeded.PhoneNumberCountLimit": Meaning(_Q, "Too many numbers in one request."),
    "LimitExceeded.PhoneNumberDailyLimit": Meaning(
        _N, "The number has had as many messages today as the application allows."
    ),
    "LimitExceeded.PhoneNumberOneHourLimit": Meaning(
        _N, "The number has had as many messages this hour as the application allows."
    ),
    "LimitExceeded.PhoneNumberSameContentDailyLimit": Meaning(
        _N, "The number has had this same text today as often as the application allows."
    ),
    "LimitExceeded.PhoneNumberThirtySecondLimit": Meaning(
        _N, "The number has just had a message; the application asks for 30 seconds between."
    ),
    "RequestLimitExceeded": Meaning(_T, "Too many requests at once."),
    "ResourceInsufficient": Meaning(_T, "Tencent has no room for the request now."),
    "ResourceUnavailable": Meaning(_T, "Tencent's service is not available to this account now."),
    # The parent's number.
    "FailedOperation.PhoneNumberInBlacklist": Meaning(
        _P, "The parent has unsubscribed, or the network keeps the number from messages.", True
    ),
    "FailedOperation.PhoneNumberParseFail": Meaning(_P, "The number is not valid.", True),
    "InvalidParameterValue.IncorrectPhoneNumber": Meaning(_P, "The number is not valid.", True),
    "MissingParameter.EmptyPhoneNumberSet": Meaning(_P, "The number is missing."),
    "UnsupportedOperation.UnsupportedRegion": Meaning(
        _T, "Tencent does not send to the number's country."
    ),
    # What this message says.
    "FailedOperation.ContainSensitiveWord": Meaning(
        _P, "The text holds a word that the networks do not let pass."
    ),
    "InvalidParameter.DirtyWordFound": Meaning(
        _P, "The text holds a word that the networks do not let pass."
    ),
    "InvalidParameterValue.ContentLengthLimit": Meaning(_P, "The text is too long."),
    # What this message puts into the template: another carrier's template may take it.
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": Meaning(
        _T, "The template takes no link as a variable: have the address approved in its text."
    ),
    "InvalidParameterValue.TemplateParameterFormatError": Meaning(
        _T, "A template for codes takes up to six digits and nothing else."
    ),
    "InvalidParameterValue.TemplateParameterLengthLimit": Meaning(
        _T, "A variable of the template is longer than Tencent allows this account."
    ),
    # The template and the signature.
    "FailedOperation.MissingSignatureList": Meaning(_T, "The account has no approved signature."),
    "FailedOperation.MissingTemplateList": Meaning(_T, "The account has no approved template."),
    "FailedOperation.SignatureIncorrectOrUnapproved": Meaning(
        _T, "The signature is not approved, or is not the one that was."
    ),
    "FailedOperation.SignIdNotExist": Meaning(_T, "The signature does not exist."),
    "FailedOperation.TemplateIdNotExist": Meaning(_T, "The template does not exist."),
    "FailedOperation.TemplateIncorrectOrUnapproved": Meaning(
        _T, "The template is not approved, or does not fit the text."
    ),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": Meaning(
        _T, "The template has another number of variables than the text."
    ),
    "FailedOperation.TemplateUnapprovedOrNotExist": Meaning(
        _T, "The template does not exist or is not approved."
    ),
    "InvalidParameterValue.InvalidTemplateFormat": Meaning(_T, "The template is malformed."),
    "InvalidParameterValue.TemplateWithDirtyWords": Meaning(
        _T, "The template holds a word that the networks do not let pass."
    ),
    "InvalidParameterValue.UnsupportedTemplateVariable": Meaning(
        _T, "The account's templates may not have variables; ask Tencent to allow them."
    ),
    "InvalidParameterValue.MarketingTemplateWithoutUnsubscribe": Meaning(
        _T, "A marketing template must say how to unsubscribe; apply for it as a notice."
    ),
    "FailedOperation.MarketingSendTimeConstraint": Meaning(
        _T, "A marketing template is sent from 8 to 22 only; apply for it as a notice."
    ),
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": Meaning(
        _T, "The template is for mainland China, the number is not."
    ),
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber": Meaning(
        _T, "The template or signature is for another country than the number's."
    ),
    "UnsupportedOperation.ContainDomesticPhoneNumber": Meaning(
        _T, "The template is for other countries, the number is in mainland China."
    ),
    "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone": Meaning(
        _T, "The template is for other countries, the number is in mainland China."
    ),
    # Answers to applications; a message should never get them.
    "FailedOperation.ForbidAddMarketingTemplates": Meaning(_T, _CLERKS),
    "FailedOperation.MissingSignature": Meaning(_T, _CLERKS),
    "FailedOperation.MissingSignatureToModify": Meaning(_T, _CLERKS),
    "FailedOperation.MissingTemplateToModify": Meaning(_T, _CLERKS),
    "FailedOperation.NotEnterpriseCertification": Meaning(_T, _CLERKS),
    "FailedOperation.ProhibitSubAccountUse": Meaning(_T, _CLERKS),
    "FailedOperation.QualificationIdNotApproved": Meaning(_T, _CLERKS),
    "FailedOperation.SignNumberLimit": Meaning(_T, _CLERKS),
    "FailedOperation.TemplateAlreadyPassedCheck": Meaning(_T, _CLERKS),
    "FailedOperation.TemplateNumberLimit": Meaning(_T, _CLERKS),
    "InvalidParameterValue.ImageInvalid": Meaning(_T, _CLERKS),
    "InvalidParameterValue.InvalidDocumentType": Meaning(_T, _CLERKS),
    "InvalidParameterValue.InvalidInternational": Meaning(_T, _CLERKS),
    "InvalidParameterValue.InvalidSignPurpose": Meaning(_T, _CLERKS),
    "InvalidParameterValue.InvalidSmsType": Meaning(_T, _CLERKS),
    "InvalidParameterValue.InvalidUsedMethod": Meaning(_T, _CLERKS),
    "InvalidParameterValue.QualificationIdNotFound": Meaning(_T, _CLERKS),
    "InvalidParameterValue.SignAlreadyPassedCheck": Meaning(_T, _CLERKS),
    "InvalidParameterValue.SignExistAndUnapproved": Meaning(_T, _CLERKS),
    "InvalidParameterValue.SignNameLengthTooLong": Meaning(_T, _CLERKS),
    # The request itself.
    "ActionOffline": Meaning(_T, "Tencent has withdrawn this way of sending."),
    "FailedOperation": Meaning(_T, "Tencent did not carry the request out; look the code up."),
    "FailedOperation.FailResolvePacket": Meaning(_T, _REQUEST),
    "FailedOperation.JsonParseFail": Meaning(_T, _REQUEST),
    "FailedOperation.OtherError": Meaning(_T, _REQUEST),
    "FailedOperation.ParametersOtherError": Meaning(_T, _REQUEST),
    "InvalidAction": Meaning(_T, _REQUEST),
    "InvalidParameter": Meaning(_T, _REQUEST),
    "InvalidParameter.InvalidParameters": Meaning(_T, _REQUEST),
    "InvalidParameterValue": Meaning(_T, _REQUEST),
    "InvalidParameterValue.BeginTimeVerifyFail": Meaning(_T, _REQUEST),
    "InvalidParameterValue.EndTimeVerifyFail": Meaning(_T, _REQUEST),
    "InvalidParameterValue.InvalidStartTime": Meaning(_T, _REQUEST),
    "InvalidParameterValue.LimitVerifyFail": Meaning(_T, _REQUEST),
    "InvalidParameterValue.MultiSmsInfoSetEmpty": Meaning(_T, _REQUEST),
    "InvalidParameterValue.OffsetVerifyFail": Meaning(_T, _REQUEST),
    "InvalidRequest": Meaning(_T, _REQUEST),
    "MissingParameter": Meaning(_T, _REQUEST),
    "NoSuchProduct": Meaning(_T, _REQUEST),
    "NoSuchVersion": Meaning(_T, _REQUEST),
    "RequestSizeLimitExceeded": Meaning(_T, _REQUEST),
    "UnknownParameter": Meaning(_T, _REQUEST),
    "UnsupportedOperation": Meaning(_T, _REQUEST),
    "UnsupportedProtocol": Meaning(_T, _REQUEST),
    "UnsupportedRegion": Meaning(_T, "Tencent offers no SMS in the region of the settings."),
    # Tencent's own trouble: what it had done by then is not known.
    "InternalError": Meaning(_A, _FAILED),
    "InternalError.JsonParseFail": Meaning(_A, _FAILED),
    "InternalError.OtherError": Meaning(_A, _FAILED),
    "InternalError.ParseBackendResponseFail": Meaning(
        _A, "Tencent could not read the network's answer."
    ),
    "InternalError.RequestTimeException": Meaning(
        _A, "Tencent finds the request's time wrong: check this server's clock."
    ),
    "InternalError.RestApiInterfaceNotExist": Meaning(_A, _FAILED),
    "InternalError.SendAndRecvFail": Meaning(_A, "Tencent waited for the network in vain."),
    "InternalError.SigFieldMissing": Meaning(_A, _FAILED),
    "InternalError.SigVerificationFail": Meaning(_A, _FAILED),
    "InternalError.Timeout": Meaning(_A, "Tencent took too long to hand the message over."),
    "InternalError.UnknownError": Meaning(_A, _FAILED),
    "ServiceUnavailable": Meaning(_A, "Tencent's service is not available."),
}
"""The code of a request or of its one number → what it means for the message."""

RECEIPTS: Final[dict[str, str]] = {
    "UNDELIV": "The phone is off, out of service or out of reach.",
    "002": "The phone is off, out of service or out of reach.",
    "EXPIRED": "The phone was not reached in time.",
    "REJECTD": "The network refused the text, the signature or the sender.",
    "-106": "The network refused a word of the text.",
    "DELETED": "The network dropped the message, mostly for trouble with the phone.",
    "SUBFAIL": "The network refused the message, mostly for the number.",
    "COMFAIL": "Tencent and the network lost each other.",
    "WTNFAIL": "The network had trouble of its own.",
    "UNKNOWN": "The network gave no reason.",
}
"""Why a message that Tencent accepted was not delivered, by the receipt's code."""

UNNAMED_RECEIPT: Final = "The network did not deliver the message; look the code up."
