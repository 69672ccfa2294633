"""How fast ingest drains a queue that filled while it was away, beside what bounds it."""

import time
from datetime import timedelta
from pathlib import Path

import msgspec
import psycopg
from paho.mqtt.client import Client
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.broker_link import RECEIVE_MAXIMUM
from schema.tables.messages import Message
from schema.tables.taps import Attendance, Tap
