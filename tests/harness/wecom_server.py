"""A local server in WeCom's place, with access tokens that end."""

import threading
from collections.abc import Mapping

from tests.harness.told_server import Answer, Asked, ToldServer, say

CORP_ID = "ww1234567890abcdef"
SECRET = "a-secret-of-this-test"
AGENT_ID = 1000050


class WecomServer(ToldServer):
    """Accepts each notice, after the answers that `answer_with` has lined up are used up.

    Only notices are kept and answered as told; access tokens are only counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counting = threading.Lock()
        self._valid = ""
        self.tokens_asked = 0
        self.lasts_s = 7200
        self.token_answer: Answer | None = None
        """What to say instead of a token."""
        self.strangers: list[str] = []
        """Parents to whom a notice does not go."""

    def options(self) -> dict[str, str]:
        """The carrier's options that send messages here."""
        return {
            "corp_id": CORP_ID,
            "secret": SECRET,
            "agent_id": str(AGENT_ID),
            "base_url": self.url,
        }

    def end_token(self) -> None:
        """The token that was given last is valid no longer."""
        self._valid = ""

    def addressee(self, asked: Asked) -> str:
        return str(asked.json["to_parent_userid"][0])

    def handle(self, asked: Asked) -> Answer:
        if asked.path == "/cgi-bin/gettoken":
            return self._give_token(asked.query)
        if asked.path == "/cgi-bin/agent/get":
            return self._check(asked, asked.query["agentid"]) or say({"errcode": 0})
        if asked.path == "/cgi-bin/externalcontact/message/send":
            told = self.take(asked)[1]
            return told or self._check(asked, asked.json["agentid"]) or self._accept(asked)
        return say({}, 404)

    def _give_token(self, query: Mapping[str, str]) -> Answer:
        with self._counting:
            self.tokens_asked += 1
            if self.token_answer:
                return self.token_answer
            if query["corpid"] != CORP_ID:
                return refuse(40013)
            if query["corpsecret"] != SECRET:
                return refuse(40001)
            self._valid = f"token-{self.tokens_asked}"
            return say(
                {
                    "errcode": 0,
                    "errmsg": "ok",
                    "access_token": self._valid,
                    "expires_in": self.lasts_s,
                }
            )

    def _check(self, asked: Asked, agent: object) -> Answer | None:
        if asked.query["access_token"] != self._valid:
            return refuse(42001)
        return None if str(agent) == str(AGENT_ID) else refuse(301002)

    def _accept(self, asked: Asked) -> Answer:
        refused = [one for one in asked.json["to_parent_userid"] if one in self.strangers]
        return accept_but_for(refused)


def refuse(code: int, headers: Mapping[str, str] | None = None) -> Answer:
    """An error in WeCom's shape; its text repeats the parent's id, as WeCom's own may."""
    text = f"zhangsan_parent1 is not acceptable, more info at devtool/query?e={code}"
    return say({"errcode": code, "errmsg": text}, 200, headers)


def accept_but_for(parents: list[str]) -> Answer:
    """ok, with the list of those to whom it does not go."""
    return say(
        {
            "errcode": 0,
            "errmsg": "ok",
            "invalid_parent_userid": parents,
            "invalid_student_userid": [],
            "invalid_party": [],
        }
    )
