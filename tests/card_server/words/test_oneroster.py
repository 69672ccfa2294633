"""Each kind of finding, and each trouble of the line, has its sentence."""

from card_server.words.oneroster import FINDINGS, TROUBLES, finding_words, trouble_words
from integrations.roster.oneroster.findings import ERRORS, Kind, Trouble


def test_every_kind_of_finding_has_a_sentence_and_none_is_left_over() -> None:
    assert set(FINDINGS) == {kind.value for kind in Kind}


def test_every_trouble_has_a_sentence_and_none_is_left_over() -> None:
    assert set(TROUBLES) == {trouble.value for trouble in Trouble}


def test_no_two_kinds_share_a_sentence() -> None:
    sentences = [text._args[0] for text in (*FINDINGS.values(), *TROUBLES.values())]
    assert len(sentences) == len(set(sentences))


def test_what_stops_an_import_is_a_kind() -> None:
    assert set(Kind) >= ERRORS
    assert Kind.MANIFEST_SAYS_ABSENT not in ERRORS


def test_an_unknown_kind_stands_as_it_is() -> None:
    assert finding_words("oneroster.of_tomorrow") == "oneroster.of_tomorrow"
    assert trouble_words("oneroster.of_tomorrow") == "oneroster.of_tomorrow"
