"""Posting to real receivers: where the connection goes, how long it lasts, what is read."""

import ipaddress
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from card_server.webhooks.post import Answer, Limits, NoAnswerError, Rules, open_line
from schema.tables.webhooks import Trouble
from tests.harness.ports import free_port
from tests.harness.receiver import Receiver, Reply, answer, cut, drip, flood, stall

HERE = ["127.0.0.1"]
QUICK = Limits(connect_s=1, answer_s=0.3, whole_s=1.5)
RULES = Rules(allow_private=True, limits=QUICK)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def post(url: str, rules: Rules = RULES) -> Answer:
    with open_line(url, rules) as line:
        return line.post({"webhook-id": "1"}, b"{}")


def test_an_event_comes_as_it_was_sent_over_one_connection(receiver: Receiver) -> None:
    with open_line(receiver.url, RULES) as line:
        for number in "12":
            assert line.post({"webhook-id": number}, b'{"a":1}') == Answer(204, None)
    one, two = receiver.came
    assert (one.path, one.body, one.id, two.id) == ("/hook", b'{"a":1}', "1", "2")
    assert one.headers["content-type"] == "application/json"
    assert one.connection == two.connection


@pytest.mark.parametrize("status", [200, 301, 400, 410, 500])
def test_an_answers_status_is_told_and_no_redirect_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.always = answer(status, b"text", {"Location": f"{receiver.url}/other"})
    assert post(receiver.url) == Answer(status, None)
    assert len(receiver.came) == 1


@pytest.mark.parametrize(
    ("said", "wait_s"), [("7", 7), ("999999", 3600), ("soon", None), ("-1", None)]
)
def test_how_long_a_receiver_wants_to_rest(
    receiver: Receiver, said: str, wait_s: float | None
) -> None:
    receiver.always = answer(503, b"", {"Retry-After": said})
    assert post(receiver.url) == Answer(503, wait_s)


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (stall, Trouble.SLOW),
        (drip, Trouble.SLOW),
        (cut, Trouble.CONNECTION),
    ],
)
def test_a_receiver_that_does_not_answer_is_let_go_in_time(
    receiver: Receiver, reply: Reply, trouble: Trouble
) -> None:
    receiver.always = reply
    started = time.monotonic()
    with pytest.raises(NoAnswerError, match=trouble):
        post(receiver.url)
    assert time.monotonic() - started < 4


def test_after_a_failure_the_same_line_works_again(receiver: Receiver) -> None:
    receiver.answer_with(drip)
    with open_line(receiver.url, RULES) as line:
        with pytest.raises(NoAnswerError):
            line.post({"webhook-id": "1"}, b"{}")
        assert line.post({"webhook-id": "1"}, b"{}").status == 204


def test_an_endless_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.always = flood
    assert post(receiver.url, Rules(allow_private=True)) == Answer(200, None)


def test_nobody_there() -> None:
    with pytest.raises(NoAnswerError, match=Trouble.CONNECTION):
        post(f"http://127.0.0.1:{free_port()}/")


def test_a_name_that_leads_inside_is_never_connected_to(receiver: Receiver) -> None:
    rules = Rules(limits=QUICK, resolve=lambda *_: HERE)
    with pytest.raises(NoAnswerError, match=Trouble.PRIVATE):
        post(f"https://public.example:{receiver.port}/", rules)
    assert receiver.came == []


def test_the_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert post(receiver.url).status == 204


class ChangingResolver:
    """Answers with this machine once, and with nobody afterwards: DNS rebinding."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, _host: str, _port: int) -> list[str]:
        self.asked += 1
        return HERE if self.asked == 1 else ["10.255.255.1"]


def test_the_connection_goes_to_the_judged_address_and_tls_checks_the_name(
    tmp_path: Path,
) -> None:
    certificate = make_certificate(tmp_path, "hooks.example")
    resolver = ChangingResolver()
    rules = Rules(True, certificate, QUICK, resolver)
    with Receiver(certificate) as receiver:
        url = f"https://hooks.example:{receiver.port}/hook"
        with open_line(url, rules) as line:
            assert line.post({"webhook-id": "1"}, b"{}").status == 204
            assert line.post({"webhook-id": "2"}, b"{}").status == 204
    assert resolver.asked == 1
    assert receiver.came[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_a_certificate_of_another_name_or_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "hooks.example")
    with Receiver(certificate) as receiver:
        for host, trusted in (("other.example", certificate), ("hooks.example", None)):
            rules = Rules(True, trusted, QUICK, lambda *_: HERE)
            with pytest.raises(NoAnswerError, match=Trouble.CERTIFICATE):
                post(f"https://{host}:{receiver.port}/hook", rules)
        assert receiver.came == []


def make_certificate(folder: Path, name: str) -> Path:
    """A certificate that vouches for itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
