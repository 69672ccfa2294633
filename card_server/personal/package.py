"""Everything that is kept on one student as a zip: tables as JSON and CSV, the photo, an index."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from io import BytesIO
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import force_locale, gettext

from card_server.errors import AppError
from card_server.exports.files import Cell, Export, Sheet, write_file
from card_server.people.photos import find_photo
from card_server.personal.sections import Asking, Kept, read_sections

_LANGUAGES: Final = ("zh", "en")
_SUFFIX: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True)
class Cover:
    """What the index says of the package itself."""

    school: str
    number: str
    name: str
    made_at: datetime
    made_by: str
    zone: ZoneInfo


def write_package(asking: Asking, cover: Cover) -> bytes:
    """The zip. Times in it are of the school's zone."""
    kept = read_sections(asking)
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        photo = _photo_of(asking)
        archive.writestr("index.html", write_index(kept, cover, photo[0] if photo else ""))
        archive.writestr("data.json", _write_json(kept, cover))
        for one in kept:
            if one.rows:
                archive.writestr(f"{one.name}.csv", _write_csv(one, cover.zone))
        if photo:
            archive.writestr(*photo)
    return out.getvalue()


def _photo_of(asking: Asking) -> tuple[str, bytes] | None:
    try:
        photo = find_photo(asking.session, asking.school_id, asking.student_id, asking.seal)
    except AppError:
        return None
    return f"photo.{_SUFFIX[photo.media_type]}", photo.body


def write_index(kept: Sequence[Kept], cover: Cover, photo: str) -> str:
    """A page that any browser shows, in both languages: which file holds what."""
    parts = []
    for language in _LANGUAGES:
        with force_locale(language):
            parts.append(_write_index_in(kept, cover, photo, language))
    title = escape(f"{cover.number} {cover.name}")
    return (
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"</head>\n<body>\n{'<hr>'.join(parts)}</body></html>\n"
    )


def _write_index_in(kept: Sequence[Kept], cover: Cover, photo: str, language: str) -> str:
    heading = gettext("What %(school)s keeps on %(name)s", school=cover.school, name=cover.name)
    made = gettext(
        "Written on %(day)s by %(who)s. data.json holds the same for programs.",
        day=cover.made_at.astimezone(cover.zone).strftime("%Y-%m-%d %H:%M"),
        who=cover.made_by,
    )
    lines = [f'<section lang="{language}"><h1>{escape(heading)}</h1><p>{escape(made)}</p><table>']
    heads = (gettext("File"), gettext("What it holds"), gettext("Rows"))
    lines.append("<tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>")
    for one in kept:
        file = f'<a href="{one.name}.csv">{one.name}.csv</a>' if one.rows else "–"
        row = f"<td>{file}</td><td>{escape(str(one.title))}</td><td>{len(one.rows)}</td>"
        lines.append(f"<tr>{row}</tr>")
    if photo:
        link = f'<a href="{photo}">{photo}</a>'
        lines.append(f"<tr><td>{link}</td><td>{escape(gettext('Photo'))}</td><td>1</td></tr>")
    return "\n".join([*lines, "</table></section>"])


def _write_json(kept: Sequence[Kept], cover: Cover) -> str:
    data = {
        "school": cover.school,
        "written_at": cover.made_at,
        "written_by": cover.made_by,
        **{one.name: one.rows for one in kept},
    }
    return json.dumps(data, ensure_ascii=False, indent=1, default=lambda one: _plain(one, cover))


def _plain(value: object, cover: Cover) -> str:
    if isinstance(value, datetime):
        return value.astimezone(cover.zone).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _write_csv(kept: Kept, zone: ZoneInfo) -> bytes:
    heads = list(kept.rows[0])
    rows = ([_cell(row[head]) for head in heads] for row in kept.rows)
    return b"".join(write_file(Export.CSV, Sheet(kept.name, heads, rows, zone, {})))


def _cell(value: Any) -> Cell:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bool):
        return "1" if value else "0"
    cell: Cell = value
    return cell
