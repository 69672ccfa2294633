"""Who may say and hear what on the real broker, judged by what is delivered.

A SUBACK says "granted" for topics that the access list forbids, so no answer is believed: a cell
holds when the message arrived, or when it has not arrived after everything before it has.
"""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from card_server.broker import certificates
from card_server.broker.certificates import Pair
from card_server.broker.settings import set_up_broker
from tests.harness.mosquitto import Mosquitto
from tests.harness.ports import free_port
from tests.harness.secure_broker import SecureBroker
from tests.harness.waiting import wait_for

OWN = "campus/v1/no1/gate"
OTHER = "campus/v1/no1/door"
ELSEWHERE = "campus/v1/no2/gate"
FROM_READER = ("tap", "status")
TO_READER = ("ack", "cards", "exits", "command")
READER_TOPICS = [f"{who}/{kind}" for who in (OWN, OTHER, ELSEWHERE) for kind in FROM_READER]
SERVER_TOPICS = [f"{who}/{kind}" for who in (OWN, OTHER, ELSEWHERE) for kind in TO_READER]


class Device:
    """One MQTT 5 client; connects on entry."""

    def __init__(self, school: SecureBroker, pair: Pair | None, port: int, name: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.lost: Queue[str] = Queue()
        self._answers: Queue[str] = Queue()
        self._port = port
        self._client = Client(
            CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5
        )
        authority = certificates.authority_files(school.certificates).certificate
        context = ssl.create_default_context(cafile=str(authority))
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        self._client.tls_set_context(context)
        self._client.on_connect = lambda _c, _u, _f, code, _p: self._answers.put(str(code))
        self._client.on_subscribe = lambda _c, _u, _m, codes, _p: self._answers.put(str(codes[0]))
        self._client.on_publish = lambda _c, _u, _m, code, _p: self._answers.put(str(code))
        self._client.on_disconnect = lambda _c, _u, _f, code, _p: self.lost.put(str(code))
        self._client.on_message = self._hear

    def __enter__(self) -> "Device":
        assert self.connect() == "Success"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def connect(self) -> str:
        """The broker's answer. Raises OSError when the connection is refused."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = 2000
        self._client.connect("127.0.0.1", self._port, clean_start=True, properties=properties)
        self._client.loop_start()
        return self._answers.get(timeout=10)

    def subscribe(self, pattern: str) -> None:
        """Returns when the broker has handled it, and all that it sent before has come."""
        self._client.subscribe(pattern, options=SubscribeOptions(qos=1))
        self._answers.get(timeout=10)

    def publish(self, topic: str, body: bytes, *, retain: bool = False) -> None:
        """Returns when the broker has handed the message on, or refused it."""
        self._client.publish(topic, body, qos=1, retain=retain)
        self._answers.get(timeout=10)

    def heard_of(self, body: bytes) -> list[str]:
        """The topics by which a message came, once all that was sent before has come."""
        self.subscribe(f"campus/fence/{uuid4()}")
        return [topic for topic, heard in self.heard if heard == body]

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    with _school(tmp_path_factory.mktemp("broker")) as running:
        yield running


def _school(folder: Path) -> SecureBroker:
    """Two schools: no1 has two readers, no2 has one."""
    return SecureBroker(folder, [("no1", "gate"), ("no1", "door"), ("no2", "gate")])


def _server(school: SecureBroker, name: str = "") -> Device:
    pair = certificates.server_files(school.certificates)
    return Device(school, pair, school.server_port, name or f"ingest-{uuid4()}")


def _reader(school: SecureBroker, name: str, code: str) -> Device:
    pair = certificates.reader_files(school.certificates, name, code)
    return Device(school, pair, school.reader_port, "reader")


def _body() -> bytes:
    return uuid4().bytes


@pytest.mark.parametrize("topic", READER_TOPICS)
def test_a_reader_publishes_its_own_taps_and_status_only(school: SecureBroker, topic: str) -> None:
    body = _body()
    with _server(school) as server, _reader(school, "no1", "gate") as reader:
        server.subscribe("campus/v1/+/+/tap")
        server.subscribe("campus/v1/+/+/status")
        reader.publish(topic, body)
        assert server.heard_of(body) == ([topic] if topic.startswith(f"{OWN}/") else [])


@pytest.mark.parametrize("topic", SERVER_TOPICS)
def test_only_the_server_publishes_to_readers_and_each_hears_its_own(
    school: SecureBroker, topic: str
) -> None:
    from_server, from_reader = _body(), _body()
    _, _, name, code, _ = topic.split("/")
    other = ("no1", "door") if (name, code) == ("no1", "gate") else ("no1", "gate")
    with (
        _server(school) as server,
        _reader(school, name, code) as owner,
        _reader(school, *other) as stranger,
    ):
        owner.subscribe(topic)
        stranger.subscribe(topic)
        server.publish(topic, from_server)
        stranger.publish(topic, from_reader)
        owner_says = _body()
        owner.publish(topic, owner_says)
        assert owner.heard_of(from_server) == [topic]
        assert stranger.heard_of(from_server) == []
        assert owner.heard_of(from_reader) == []
        assert owner.heard_of(owner_says) == []


@pytest.mark.parametrize(
    "pattern",
    ["#", "+/#", "campus/#", "campus/v1/+/+/+", "campus/v1/no1/#", "campus/v1/+/gate/ack"],
)
def test_a_reader_that_asks_for_everything_hears_only_what_is_its_own(
    school: SecureBroker, pattern: str
) -> None:
    with (
        _server(school) as server,
        _reader(school, "no1", "gate") as curious,
        _reader(school, "no1", "door") as door,
        _reader(school, "no2", "gate") as elsewhere,
    ):
        curious.subscribe(pattern)
        for topic in SERVER_TOPICS:
            server.publish(topic, b"news")
        door.publish(f"{OTHER}/tap", b"news")
        elsewhere.publish(f"{ELSEWHERE}/status", b"news")
        server.publish("campus/check/x", b"news")
        heard = curious.heard_of(b"news")
        assert f"{OWN}/ack" in heard
        assert set(heard) <= {f"{OWN}/{kind}" for kind in TO_READER}


@pytest.mark.parametrize("pattern", ["$SYS/#", "$SYS/broker/clients/total", "$share/a/campus/#"])
def test_the_brokers_own_figures_and_shared_subscriptions_give_a_reader_nothing_more(
    school: SecureBroker, pattern: str
) -> None:
    with _reader(school, "no1", "gate") as reader, _reader(school, "no1", "door") as door:
        reader.subscribe(pattern)
        door.publish(f"{OTHER}/tap", b"x")
        assert reader.heard_of(b"x") == []
        assert [topic for topic, _ in reader.heard if topic.startswith("$SYS")] == []


@pytest.mark.parametrize("topic", ["campus/v1/no1/gate", "x", f"{OWN}/tap/x", "campus/check/x"])
def test_nobody_hears_a_reader_on_any_other_topic(school: SecureBroker, topic: str) -> None:
    body = _body()
    with _server(school) as server, _reader(school, "no1", "gate") as reader:
        server.subscribe("#")
        reader.publish(topic, body)
        assert server.heard_of(body) == []


@pytest.mark.parametrize("topic", READER_TOPICS)
def test_the_server_cannot_pass_itself_off_as_a_reader(school: SecureBroker, topic: str) -> None:
    body = _body()
    with _server(school) as server, _server(school) as ingest:
        ingest.subscribe(topic)
        server.publish(topic, body)
        assert ingest.heard_of(body) == []


def test_servers_that_share_a_subscription_hear_each_tap_once(school: SecureBroker) -> None:
    bodies = [_body() for _ in range(20)]
    with _server(school) as one, _server(school) as two, _reader(school, "no1", "gate") as reader:
        for server in (one, two):
            server.subscribe("$share/ingest/campus/v1/+/+/tap")
        for body in bodies:
            reader.publish(f"{OWN}/tap", body)
        for server in (one, two):
            assert server.heard_of(b"") == []
        assert sorted(body for _, body in one.heard + two.heard) == sorted(bodies)


def test_the_server_talks_to_itself_on_the_check_topic(school: SecureBroker) -> None:
    body = _body()
    with _server(school) as server:
        server.subscribe("campus/check/1")
        server.publish("campus/check/1", body)
        assert server.heard_of(body) == ["campus/check/1"]


@pytest.mark.parametrize("name", ["+/+", "#", "+", "no1/+"])
def test_a_certificate_with_wildcards_in_its_name_opens_nothing(
    school: SecureBroker, name: str, tmp_path: Path
) -> None:
    pair = _forge(school.certificates, tmp_path, name)
    evil = Device(school, pair, school.reader_port, "evil")
    with _server(school) as server, _reader(school, "no1", "gate") as reader, evil:
        server.subscribe("campus/v1/+/+/tap")
        evil.subscribe("campus/v1/+/+/ack")
        evil.subscribe("#")
        said, told = _body(), _body()
        evil.publish(f"{OWN}/tap", said)
        server.publish(f"{OWN}/ack", told)
        reader.publish(f"{OWN}/tap", told)
        assert server.heard_of(said) == []
        assert evil.heard_of(told) == []


def test_a_reader_cannot_take_over_the_servers_session(school: SecureBroker) -> None:
    body = _body()
    pair = certificates.reader_files(school.certificates, "no1", "gate")
    with _server(school, "ingest") as server:
        server.subscribe("campus/v1/+/+/tap")
        with Device(school, pair, school.reader_port, "ingest") as thief:
            thief.publish(f"{OWN}/tap", body)
            assert server.heard_of(body) == [f"{OWN}/tap"]
        assert server.lost.empty()


def test_a_retained_message_is_refused(school: SecureBroker) -> None:
    with _server(school) as server, _reader(school, "no1", "gate") as reader:
        server.subscribe("campus/v1/+/+/tap")
        reader._client.publish(f"{OWN}/tap", b"kept for ever", qos=1, retain=True)
        assert reader.lost.get(timeout=10) == "Retain not supported"
        assert server.heard_of(b"kept for ever") == []


def test_two_thousand_messages_may_be_on_their_way_to_ingest(school: SecureBroker) -> None:
    with _server(school) as server, _reader(school, "no1", "gate") as reader:
        server._client.manual_ack_set(True)
        server.subscribe(f"{OWN}/tap")
        for number in range(2100):
            reader._client.publish(f"{OWN}/tap", str(number).encode(), qos=1)
        wait_for(lambda: len(server.heard) >= 2000, 30, "2,000 messages without an answer")
        server.subscribe("campus/fence")
        assert len(server.heard) == 2000


@pytest.mark.parametrize("case", ["none", "stranger", "expired"])
def test_only_a_valid_certificate_of_our_authority_comes_in(
    school: SecureBroker, case: str, tmp_path: Path
) -> None:
    pair = None
    if case == "stranger":
        certificates.create_authority(tmp_path)
        pair = certificates.issue_reader_certificate(tmp_path, "no1", "gate")
    if case == "expired":
        pair = _forge(school.certificates, tmp_path, "no1/gate", days=-1)
    for port in (school.reader_port, school.server_port):
        assert _is_refused(Device(school, pair, port, "x"))


def test_a_revoked_reader_is_cut_off_by_a_restart_and_the_others_are_not(tmp_path: Path) -> None:
    with _school(tmp_path) as school:
        kept = tmp_path / "kept"
        pair = certificates.reader_files(school.certificates, "no1", "gate")
        stolen = Pair(kept / "gate.crt", kept / "gate.key")
        kept.mkdir()
        shutil.copy(pair.certificate, stolen.certificate)
        shutil.copy(pair.key, stolen.key)
        with Device(school, stolen, school.reader_port, "x") as reader:
            reader.publish(f"{OWN}/status", b"still here")

        certificates.revoke_reader(school.certificates, "no1", "gate")
        school.stop()
        school.start()

        assert _is_refused(Device(school, stolen, school.reader_port, "x"))
        with _reader(school, "no1", "door") as door:
            door.publish(f"{OTHER}/status", b"not me")
        certificates.issue_reader_certificate(school.certificates, "no1", "gate")
        with _reader(school, "no1", "gate") as again:
            again.publish(f"{OWN}/status", b"back")


def test_the_systems_broker_runs_from_what_is_set_up_for_it(tmp_path: Path) -> None:
    # Outside pytest's own folder, which only its owner may enter.
    with TemporaryDirectory() as open_folder:
        place = Path(open_folder)
        place.chmod(0o755)
        authority = place / "authority"
        for _ in range(2):
            config = set_up_broker(authority, place / "broker", place / "data", ["127.0.0.1"])
        assert not (place / "broker" / "ca.key").exists()
        server_port = free_port()
        text = config.read_text().replace("8883 0.0.0.0", f"{free_port()} 127.0.0.1")
        text = text.replace("listener 8884", f"listener {server_port}")
        with Mosquitto(tmp_path, text, server_port):
            context = ssl.create_default_context(
                cafile=str(certificates.authority_files(authority).certificate)
            )
            own = certificates.server_files(authority)
            context.load_cert_chain(own.certificate, own.key)
            with (
                socket.create_connection(("127.0.0.1", server_port), 10) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
            ):
                assert secure.version() == "TLSv1.3"


def test_an_unencrypted_connection_gets_no_answer(school: SecureBroker) -> None:
    plain = Client(CallbackAPIVersion.VERSION2, "plain", protocol=MQTTProtocolVersion.MQTTv5)
    answers: Queue[str] = Queue()
    ended = threading.Event()
    plain.on_connect = lambda _c, _u, _f, code, _p: answers.put(str(code))
    plain.on_disconnect = lambda *_: ended.set()
    plain.connect("127.0.0.1", school.reader_port)
    plain.loop_start()
    assert ended.wait(10)
    plain.loop_stop()
    assert answers.empty()


def _is_refused(device: Device) -> bool:
    """In TLS 1.3 the client learns of its refused certificate only after its own handshake."""
    client, answers = device._client, device._answers
    client.on_disconnect = lambda _c, _u, _f, code, _p: answers.put(f"lost: {code}")
    client.on_connect_fail = lambda _c, _u: answers.put("not reached")
    try:
        return device.connect() != "Success"
    except OSError:
        return True
    finally:
        device.__exit__()


def _forge(store: Path, folder: Path, name: str, days: int = 30) -> Pair:
    """A certificate of the true authority that our own code would never issue."""
    pair = certificates.issue_reader_certificate(store, "forged", f"f{uuid4().hex[:8]}")
    source = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    files = certificates.authority_files(store)
    key = load_pem_private_key(files.key.read_bytes(), None)
    until = datetime.now(UTC) + timedelta(days=days)
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(source.issuer)
        .public_key(source.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=60))
        .not_valid_after(until)
        .sign(key, SHA256())  # type: ignore[arg-type]
    )
    path = folder / "forged.crt"
    path.write_bytes(forged.public_bytes(Encoding.PEM))
    return Pair(path, pair.key)
