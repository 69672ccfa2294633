"""The rankings of homerooms as a file, with what each week comes to (周趋势)."""

from collections.abc import Mapping
from datetime import date

from flask import Response
from flask_babel import gettext

from card_server.calendar.points import write_points
from card_server.reports.rankings import Ranking, Sums
from card_server.web.day_range import DayRange
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, Export, SecondSheet

_Line = tuple[Cell, ...]


def send_ranking(
    kind: Export, ranking: Ranking, room_weeks: Mapping[int, Mapping[date, Sums]], time: DayRange
) -> Response:
    """The download: the weeks are a workbook's second sheet, and columns of a CSV."""
    heads, rows = _heads(), _rows(ranking, time)
    weeks = [one.starts_on for one in ranking.weeks]
    by_line = _by_line(ranking, room_weeks)
    if kind is Export.XLSX:
        lines = [
            (week, *names, *_figures(sums.get(week, Sums())))
            for week in weeks
            for names, sums in by_line
        ]
        second = SecondSheet("weeks", _week_heads(), lines)
        return send_noted(kind, "rankings", heads, rows, second)
    heads += [f"{week} {figure}" for week in weeks for figure in _figure_heads()]
    rows = [
        (*row, *(cell for week in weeks for cell in _figures(sums.get(week, Sums()))))
        for row, (_names, sums) in zip(rows, by_line, strict=True)
    ]
    return send_noted(kind, "rankings", heads, rows)


def _heads() -> list[str]:
    heads = [gettext("From"), gettext("Until"), gettext("Rank"), gettext("Grade")]
    return [*heads, gettext("Homeroom"), gettext("Students"), *_figure_heads()]


def _week_heads() -> list[str]:
    return [gettext("Week from"), gettext("Grade"), gettext("Homeroom"), *_figure_heads()]


def _figure_heads() -> list[str]:
    heads = [gettext("Attendance rate, per cent"), gettext("Late"), gettext("Left early")]
    return [*heads, gettext("Absent"), gettext("On leave"), gettext("Points taken")]


def _rows(ranking: Ranking, time: DayRange) -> list[_Line]:
    together = gettext("together")
    rows: list[_Line] = [
        (*time, one.rank, one.grade, one.name, one.sums.students, *_figures(one.sums))
        for one in ranking.rooms
    ]
    return rows + [
        (*time, None, one.grade, together, one.sums.students, *_figures(one.sums))
        for one in ranking.grades
    ]


def _by_line(
    ranking: Ranking, room_weeks: Mapping[int, Mapping[date, Sums]]
) -> list[tuple[_Line, Mapping[date, Sums]]]:
    """The weeks of each row: of the homerooms, then of each grade together."""
    lines: list[tuple[_Line, Mapping[date, Sums]]] = []
    of_grade: dict[int, dict[date, Sums]] = {one.grade: {} for one in ranking.grades}
    for room in ranking.rooms:
        weeks, grade = room_weeks[room.id], of_grade[room.grade]
        for week, sums in weeks.items():
            grade[week] = grade.get(week, Sums()) + sums
        lines.append(((room.grade, room.name), weeks))
    together = gettext("together")
    return lines + [((grade, together), weeks) for grade, weeks in of_grade.items()]


def _figures(sums: Sums) -> _Line:
    return (
        None if sums.rate is None else str(sums.rate),
        sums.late,
        sums.left_early,
        sums.absent,
        sums.on_leave,
        write_points(sums.points_tenths),
    )
