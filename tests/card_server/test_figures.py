"""What processes count for Prometheus: names of one form, each in the handbook."""

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from card_server.figures import clock, ingest, notify, web

_PROCESSES = {"clock": clock, "ingest": ingest, "notify": notify, "web": web}
_UNITS = {Counter: ("_total",), Histogram: ("_seconds", "_taps"), Gauge: ("_seconds", "_away")}
_ROOT = Path(__file__).parents[2]
_HANDBOOK = (_ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def shown(figure: MetricWrapperBase) -> str:
    """As Prometheus is told of it; a counter's own name has no ending."""
    [told] = list(figure.collect())
    return told.name + ("_total" if isinstance(figure, Counter) else "")


FIGURES = {
    (process, shown(figure)): figure
    for process, module in _PROCESSES.items()
    for figure in vars(module).values()
    if isinstance(figure, MetricWrapperBase)
}


@pytest.mark.parametrize(("process", "name"), FIGURES)
def test_a_name_says_whose_it_is_and_of_which_unit(process: str, name: str) -> None:
    assert re.fullmatch(rf"card_server_{process}_[a-z_]+", name)
    assert name.endswith(_UNITS[type(FIGURES[process, name])])


def test_the_handbook_has_each_of_them_and_no_other() -> None:
    told = set(re.findall(r"^\| `(card_server_[a-z_]+)", _HANDBOOK, re.MULTILINE))
    assert told == {name for _, name in FIGURES}


def test_nothing_is_counted_anywhere_else() -> None:
    makes = re.compile(r"\b(Counter|Gauge|Histogram|Summary)\(\s*\"")
    files = [*(_ROOT / "card_server").rglob("*.py")]
    assert files
    found = {one.name for one in files if makes.search(one.read_text(encoding="utf-8"))}
    assert found == {f"{process}.py" for process in _PROCESSES}
    assert all(one.parent.name == "figures" for one in files if makes.search(one.read_text()))
