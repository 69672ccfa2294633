"""The plain floor, as a process of its own: a bare paho subscriber that acknowledges and counts.

Arguments: broker's port, client id, number of messages. Prints messages per second.
"""

import sys
import time

from paho.mqtt.client import Client, MQTTMessage

from tests.bench.district import open_session
from tests.harness.mosquitto import Mosquitto


class _There(Mosquitto):
    """A broker that somebody else runs."""

    def __init__(self, port: int) -> None:
        self.host, self.port = "127.0.0.1", port


def main(port: int, client_id: str, wanted: int) -> None:
    counted = 0
    began = 0.0

    def on_message(client: Client, _data: object, message: MQTTMessage) -> None:
        nonlocal counted, began
        began = began or time.perf_counter()
        counted += 1
        client.ack(message.mid, message.qos)

    client = open_session(_There(port), client_id)
    client.on_message = on_message
    while counted < wanted:
        client.loop(1)
    sys.stdout.write(f"{wanted / (time.perf_counter() - began)}\n")
    client.disconnect()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
