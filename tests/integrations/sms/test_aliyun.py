"""The real SDK against a local server: what goes over the wire, and what each answer means."""

import base64
import hashlib
import hmac
import json
import logging
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from integrations.sms.aliyun import AliyunCarrier
from integrations.sms.aliyun_codes import CODES, RECEIPTS
from integrations.sms.protocol import Question, SendError, Sms, Verdict
from tests.harness.aliyun_server import (
    KEY_ID,
    SECRET,
    AliyunServer,
    Answer,
    canonical_query,
    cut,
    cut_in_mid_answer,
    garble,
    refuse,
    reply_with,
    send_elsewhere,
    sign,
    stall,
)
from tests.harness.ports import free_port

NUMBER = "+8613800000042"
TEXT = "【实验中学】家长您好，张三已于07:32进入学校。"
SLOTS = (("student", "张三"), ("time", "07:32"))
SMS = Sms(NUMBER, TEXT, 1200, "0198-a-reference", "实验中学", "SMS_71390007", SLOTS)
PERSONAL = re.compile(f"13800000042|张三|07:32|{SECRET}")
TEMPORARY, QUOTA = Verdict.TEMPORARY, Verdict.QUOTA
PERMANENT, AMBIGUOUS = Verdict.PERMANENT, Verdict.AMBIGUOUS


@pytest.fixture
def server() -> Iterator[AliyunServer]:
    with AliyunServer() as running:
        yield running


def carrier(server: AliyunServer, timeout_s: float = 5, secret: str = SECRET) -> AliyunCarrier:
    return AliyunCarrier(
        access_key_id=KEY_ID,
        access_key_secret=secret,
        base_url=server.url,
        timeout_s=timeout_s,
    )


def refusal(server: AliyunServer, answer: Answer, timeout_s: float = 5) -> SendError:
    server.answer_with(answer)
    with pytest.raises(SendError) as caught:
        carrier(server, timeout_s).send(SMS)
    assert len(server.asked) == 1
    return caught.value


class TestSignatures:
    """The server's own check of signatures, against published examples."""

    def test_acs3(self) -> None:
        # https://help.aliyun.com/document_detail/2593177.html
        headers = {
            "host": "ecs.cn-shanghai.aliyuncs.com",
            "x-acs-action": "RunInstances",
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
            "x-acs-date": "2023-10-26T10:22:32Z",
            "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
            "x-acs-version": "2014-05-26",
        }
        fields = {
            "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            "RegionId": "cn-shanghai",
        }
        assert sign("POST", fields, headers, b"", "YourAccessKeySecret") == (
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        )

    @pytest.mark.parametrize(
        ("secret", "fields", "signature"),
        [
            (  # https://help.aliyun.com/document_detail/56189.html
                "testSecret",
                {
                    "AccessKeyId": "testId",
                    "Action": "SendSms",
                    "Format": "XML",
                    "OutId": "123",
                    "PhoneNumbers": "15300000001",
                    "RegionId": "cn-hangzhou",
                    "SignName": "阿里云短信测试专用",
                    "SignatureMethod": "HMAC-SHA1",
                    "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466",
                    "SignatureVersion": "1.0",
                    "TemplateCode": "SMS_71390007",
                    "TemplateParam": '{"customer":"test"}',
                    "Timestamp": "2017-07-12T02:42:19Z",
                    "Version": "2017-05-25",
                },
                "zJDF+Lrzhj/ThnlvIToysFRq6t4=",
            ),
            (  # https://help.aliyun.com/document_detail/25492.html
                "testsecret",
                {
                    "Format": "XML",
                    "AccessKeyId": "testid",
                    "Action": "DescribeRegions",
                    "SignatureMethod": "HMAC-SHA1",
                    "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
                    "SignatureVersion": "1.0",
                    "Version": "2014-05-26",
                    "Timestamp": "2016-02-23T12:46:24Z",
                },
                "OLeaidS1JvxuMvnyHOwuJ+uX5qY=",
            ),
        ],
    )
    def test_the_query_is_written_as_for_the_older_rpc_signature(
        self, secret: str, fields: dict[str, str], signature: str
    ) -> None:
        text = f"GET&%2F&{quote(canonical_query(fields), safe='~')}"
        digest = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
        assert base64.b64encode(digest).decode() == signature

    @pytest.mark.parametrize(
        ("plain", "written"),
        [
            ("a b", "a%20b"),
            ("*", "%2A"),
            ("~-_.", "~-_."),
            ("/=&+", "%2F%3D%26%2B"),
            ("派", "%E6%B4%BE"),
        ],
    )
    def test_signs_that_are_easily_written_otherwise(self, plain: str, written: str) -> None:
        assert canonical_query({"x": plain}) == f"x={written}"

    def test_a_wrong_secret_is_noticed(self, server: AliyunServer) -> None:
        with pytest.raises(SendError, match="secret is wrong") as caught:
            carrier(server, secret="another").send(SMS)
        assert caught.value.verdict is TEMPORARY


class TestSending:
    def test_an_accepted_message_is_asked_for_once_and_exactly(self, server: AliyunServer) -> None:
        biz_id = carrier(server).send(SMS)
        [asked] = server.asked
        assert biz_id == "900000^0"
        assert asked.action == "SendSms"
        assert asked.fields == {
            "PhoneNumbers": "13800000042",
            "SignName": "实验中学",
            "TemplateCode": "SMS_71390007",
            "TemplateParam": '{"student": "张三", "time": "07:32"}',
            "OutId": "0198-a-reference",
        }

    @pytest.mark.parametrize(
        ("number", "written"),
        [("+8613800000042", "13800000042"), ("+85251234567", "85251234567")],
    )
    def test_only_numbers_abroad_carry_their_country(
        self, server: AliyunServer, number: str, written: str
    ) -> None:
        carrier(server).send(Sms(number, TEXT, 60, "a", "实验中学", "SMS_1", SLOTS))
        assert server.sent[0].fields["PhoneNumbers"] == written

    def test_signs_that_a_signature_could_trip_over_arrive(self, server: AliyunServer) -> None:
        name = "O'Neil 𠮷 a+b=c&d*~/%\"\\"
        carrier(server).send(Sms(NUMBER, TEXT, 60, "a", "实验 中学", "SMS_1", (("name", name),)))
        assert json.loads(server.sent[0].fields["TemplateParam"]) == {"name": name}

    def test_a_text_without_slots_names_none(self, server: AliyunServer) -> None:
        carrier(server).send(Sms(NUMBER, TEXT, 60, "a", "实验中学", "SMS_1"))
        assert "TemplateParam" not in server.sent[0].fields

    @pytest.mark.parametrize(
        ("signature", "template", "missing"),
        [("实验中学", "", "template code"), ("", "SMS_1", "signature")],
    )
    def test_without_template_or_signature_nothing_leaves(
        self, server: AliyunServer, signature: str, template: str, missing: str
    ) -> None:
        with pytest.raises(SendError, match=missing) as caught:
            carrier(server).send(Sms(NUMBER, TEXT, 60, "a", signature, template, SLOTS))
        assert caught.value.verdict is TEMPORARY
        assert server.asked == []

    def test_threads_that_send_at_once_each_send_their_own(self, server: AliyunServer) -> None:
        one = carrier(server)
        messages = [
            Sms(f"+86138000000{i:02}", TEXT, 60, f"r-{i}", "实验中学", "SMS_1", (("i", str(i)),))
            for i in range(80)
        ]
        with ThreadPoolExecutor(8) as threads:
            ids = list(threads.map(one.send, messages))
        assert len(set(ids)) == 80
        assert {
            (s.fields["OutId"], s.fields["PhoneNumbers"], s.fields["TemplateParam"])
            for s in server.sent
        } == {(f"r-{i}", f"138000000{i:02}", json.dumps({"i": str(i)})) for i in range(80)}
        assert len(server.sent) == 80
        assert {row["BizId"]: row["OutId"] for row in server.records} == dict(
            zip(ids, (sms.reference for sms in messages), strict=True)
        )

    def test_threads_that_are_refused_at_once_each_hear_their_own(
        self, server: AliyunServer
    ) -> None:
        one = carrier(server)
        answers = [refuse("Throttling", 429, {"Retry-After": str(i)}) for i in range(1, 41)]
        server.answer_with(*answers)

        def wait_s(_: int) -> float | None:
            with pytest.raises(SendError) as caught:
                one.send(SMS)
            return caught.value.retry_after_s

        with ThreadPoolExecutor(8) as threads:
            assert sorted(threads.map(wait_s, range(40)), key=lambda s: s or 0) == [*range(1, 41)]


class TestRefusals:
    @pytest.mark.parametrize("code", sorted(CODES))
    def test_each_code_of_the_table_means_what_it_says(
        self, server: AliyunServer, code: str
    ) -> None:
        row = CODES[code]
        error = refusal(server, refuse(code))
        assert error.message == f"Aliyun {code}: {row.sentence}"
        assert (error.verdict, error.is_number_bad) == (row.verdict, row.is_number_bad)

    @pytest.mark.parametrize(
        ("code", "verdict", "is_bad"),
        [
            ("isv.OUT_OF_SERVICE", QUOTA, False),
            ("isv.PRODUCT_UNSUBSCRIBE", TEMPORARY, False),
            ("isv.ACCOUNT_NOT_EXISTS", TEMPORARY, False),
            ("isv.ACCOUNT_ABNORMAL", TEMPORARY, False),
            ("isv.SMS_TEMPLATE_ILLEGAL", TEMPORARY, False),
            ("isv.SMS_SIGNATURE_ILLEGAL", TEMPORARY, False),
            ("isv.MOBILE_NUMBER_ILLEGAL", PERMANENT, True),
            ("isv.MOBILE_COUNT_OVER_LIMIT", PERMANENT, False),
            ("isv.TEMPLATE_MISSING_PARAMETERS", TEMPORARY, False),
            ("isv.INVALID_PARAMETERS", TEMPORARY, False),
            ("isv.BUSINESS_LIMIT_CONTROL", Verdict.NUMBER_QUOTA, False),
            ("isv.INVALID_JSON_PARAM", TEMPORARY, False),
            ("isp.SYSTEM_ERROR", AMBIGUOUS, False),
            ("isv.BLACK_KEY_CONTROL_LIMIT", PERMANENT, False),
            ("isv.PARAM_LENGTH_LIMIT", PERMANENT, False),
            ("isv.PARAM_NOT_SUPPORT_URL", PERMANENT, False),
            ("isv.AMOUNT_NOT_ENOUGH", QUOTA, False),
            ("isv.DAY_LIMIT_CONTROL", QUOTA, False),
            ("isv.DENY_IP_RANGE", TEMPORARY, False),
            ("isv.DOMESTIC_NUMBER_NOT_SUPPORTED", TEMPORARY, False),
            ("isp.RAM_PERMISSION_DENY", TEMPORARY, False),
            ("SignatureNonceUsed", AMBIGUOUS, False),
            # Without a row of its own: by the shape that messages abroad have, or by its family.
            ("MOBILE_NUMBER_ILLEGAL", PERMANENT, True),
            ("isv.NEVER_HEARD_OF", TEMPORARY, False),
            ("isp.NEVER_HEARD_OF", AMBIGUOUS, False),
            ("Throttling.User", TEMPORARY, False),
            ("NEVER_HEARD_OF", AMBIGUOUS, False),
        ],
    )
    def test_what_a_code_means(
        self, server: AliyunServer, code: str, verdict: Verdict, is_bad: bool
    ) -> None:
        error = refusal(server, refuse(code))
        assert (error.verdict, error.is_number_bad) == (verdict, is_bad)

    @pytest.mark.parametrize(
        ("answer", "verdict", "sentence"),
        [
            (refuse("InvalidAccessKeyId.NotFound", 404), TEMPORARY, "does not know the AccessKey"),
            (refuse("SignatureDoesNotMatch", 400), TEMPORARY, "secret is wrong"),
            (refuse("InvalidTimeStamp.Expired", 400), TEMPORARY, "clock"),
            (refuse("Forbidden.RAM", 403), TEMPORARY, "RAM user"),
            (refuse("Throttling.User", 400), TEMPORARY, "Too many requests"),
            (refuse("Throttling.Api", 503), TEMPORARY, "Too many requests"),
            (refuse("isv.MOBILE_NUMBER_ILLEGAL", 429), TEMPORARY, "Too many requests"),
            (refuse("NeverHeardOf", 400), TEMPORARY, "look the code up"),
            (refuse("InternalError", 500), AMBIGUOUS, "may have been accepted"),
            (refuse("isv.MOBILE_NUMBER_ILLEGAL", 502), AMBIGUOUS, "may have been accepted"),
            (reply_with({}, 503), AMBIGUOUS, "HTTP 503"),
            (reply_with({}, 403), TEMPORARY, "HTTP 403"),
            (reply_with({}, 408), AMBIGUOUS, "HTTP 408"),
            (reply_with([], 429), TEMPORARY, "Too many requests"),
            (reply_with({}), AMBIGUOUS, "cannot be read"),
            (reply_with([]), AMBIGUOUS, "cannot be read"),
            (reply_with("OK"), AMBIGUOUS, "cannot be read"),
            (reply_with({"Code": "OK"}), AMBIGUOUS, "names no message"),
            (send_elsewhere, AMBIGUOUS, "HTTP 307"),
            (garble, AMBIGUOUS, "cannot be read"),
            (cut, AMBIGUOUS, "cut"),
            (cut_in_mid_answer, AMBIGUOUS, "cut"),
        ],
    )
    def test_an_answer_outside_the_table(
        self, server: AliyunServer, answer: Answer, verdict: Verdict, sentence: str
    ) -> None:
        error = refusal(server, answer)
        assert error.verdict is verdict
        assert sentence in error.message
        assert error.message.startswith("Aliyun")
        assert not error.is_number_bad

    def test_an_answer_that_does_not_come_is_ambiguous(self, server: AliyunServer) -> None:
        error = refusal(server, stall, timeout_s=0.3)
        assert error.verdict is AMBIGUOUS
        assert error.message == "Aliyun: The answer took too long."

    @pytest.mark.parametrize(
        ("headers", "wait_s"),
        [
            ({"Retry-After": "17"}, 17),
            ({"x-acs-retry-after": "1500"}, 1.5),
            ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
            ({"Retry-After": "-1"}, None),
            ({}, None),
        ],
    )
    def test_too_many_requests_wait_as_long_as_asked(
        self, server: AliyunServer, headers: dict[str, str], wait_s: float | None
    ) -> None:
        error = refusal(server, refuse("Throttling.User", 429, headers))
        assert (error.verdict, error.retry_after_s) == (TEMPORARY, wait_s)

    def test_one_wait_does_not_outlive_its_answer(self, server: AliyunServer) -> None:
        one = carrier(server)
        server.answer_with(refuse("Throttling", 429, {"Retry-After": "17"}), refuse("isv.X"))
        waits = []
        for _ in range(2):
            with pytest.raises(SendError) as caught:
                one.send(SMS)
            waits.append(caught.value.retry_after_s)
        assert waits == [17, None]

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_server_that_is_not_there_got_nothing(self, scheme: str) -> None:
        assert _failure(f"{scheme}://127.0.0.1:{free_port()}").verdict is TEMPORARY

    def test_a_connection_that_is_not_answered_carried_nothing(self) -> None:
        with socket.socket() as full, socket.socket() as waiting:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting.connect(full.getsockname())
            error = _failure(f"http://127.0.0.1:{full.getsockname()[1]}")
        assert error.verdict is TEMPORARY

    def test_a_name_that_does_not_resolve_got_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def resolve(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")  # no question leaves this machine

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert _failure("http://aliyun.invalid").verdict is TEMPORARY

    def test_no_error_and_no_log_line_holds_number_text_or_key(
        self,
        server: AliyunServer,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("DEBUG", "sdk")
        one = carrier(server, 0.3)
        caplog.set_level(logging.DEBUG)
        logging.getLogger("urllib3").setLevel(logging.DEBUG)
        answers = [refuse("isv.X"), refuse("13800000042"), refuse("X", 400), refuse("X", 500)]
        server.answer_with(*answers, cut, garble, stall)
        said: list[BaseException] = []
        for _ in range(7):
            with pytest.raises(SendError) as caught:
                one.send(SMS)
            said += [caught.value, *_behind(caught.value)]
        one.send(SMS)
        one.look_up(Question(NUMBER, TEXT, SMS.reference, "", datetime.now(UTC)))
        everything = [repr(one), *(f"{error!r} {error}" for error in said), caplog.text]
        assert "urllib3" in caplog.text
        assert len(said) == 7
        assert not PERSONAL.search("\n".join([*everything, *capfd.readouterr()]))


def _failure(base_url: str) -> SendError:
    """What sending to an address says where nobody answers."""
    away = AliyunCarrier(
        access_key_id=KEY_ID, access_key_secret=SECRET, base_url=base_url, timeout_s=0.3
    )
    with pytest.raises(SendError) as caught:
        away.send(SMS)
    assert caught.value.message == "Aliyun cannot be reached; nothing was sent."
    return caught.value


def _behind(error: BaseException) -> list[BaseException]:
    """The errors that an error carries with it."""
    found = [link for link in (error.__cause__, error.__context__) if link]
    return found + [deeper for link in found for deeper in _behind(link)]


class TestCheck:
    def test_it_passes_with_good_keys_and_sends_nothing(self, server: AliyunServer) -> None:
        carrier(server).check()
        assert [asked.action for asked in server.asked] == ["QuerySmsSignList"]

    def test_it_names_a_wrong_key(self, server: AliyunServer) -> None:
        with pytest.raises(SendError, match="Aliyun SignatureDoesNotMatch"):
            carrier(server, secret="another").check()
        with pytest.raises(SendError, match=r"Aliyun InvalidAccessKeyId\.NotFound"):
            AliyunCarrier(
                access_key_id="LTAI-x", access_key_secret=SECRET, base_url=server.url
            ).check()

    @pytest.mark.parametrize("address", ["api.aliyun.com", "ftp://aliyun.com", "https://"])
    def test_an_address_that_is_none_is_refused_at_once(self, address: str) -> None:
        with pytest.raises(ValueError, match="https"):
            AliyunCarrier(access_key_id="a", access_key_secret="b", base_url=address)

    @pytest.mark.parametrize(("key_id", "secret"), [("", "b"), ("a", "")])
    def test_keys_that_are_missing_are_refused_at_once(self, key_id: str, secret: str) -> None:
        with pytest.raises(ValueError, match="AccessKey"):
            AliyunCarrier(access_key_id=key_id, access_key_secret=secret)


def test_every_sentence_is_one_sentence_and_names_nothing_personal() -> None:
    sentences = [row.sentence for row in CODES.values()] + [row[0] for row in RECEIPTS.values()]
    assert all(re.fullmatch(r"[A-Z][^.]*\.", sentence) for sentence in sentences)
