"""A provider of log-ins (OpenID Connect): oidc-provider-mock in a process of its own."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.ports import free_port, is_open
from tests.harness.processes import Process
from tests.harness.waiting import wait_for


@contextmanager
def provider(log: Path, *people: dict[str, object]) -> Iterator[str]:
    """The issuer's address; `people` are claims with at least `sub`."""
    port = free_port()
    argv = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    argv += ["--require-nonce", "true"]
    for claims in people:
        argv += ["--user-claims", json.dumps(claims)]
    with Process(argv, log) as process:
        wait_for(lambda: is_open(port) or process.exit_code is not None, 30, "the provider")
        assert process.exit_code is None, process.output
        yield f"http://127.0.0.1:{port}"
