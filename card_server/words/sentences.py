"""Finding the sentences of files whose texts are not marked for translation: tables of codes.

What carriers' codes mean stands in `integrations`, which know nothing of translations; babel.cfg
names this extractor for them.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

CARRIERS: Final = ("Aliyun", "Tencent", "Twilio", "WeCom")
"""As the sentences call them."""
_HEAD: Final = re.compile(rf"(?:{'|'.join(CARRIERS)}): ")


def extract(
    fileobj: IO[bytes],
    keywords: Iterable[str],
    comment_tags: Sequence[str],
    options: Mapping[str, Any],
) -> Iterator[tuple[int, None, str, list[str]]]:
    """The sentences of a Python file, as Babel wants them from an extractor."""
    for line, sentence in find_sentences(fileobj.read().decode()):
        yield line, None, sentence, []


def find_sentences(source: str) -> list[tuple[int, str]]:
    """Each constant that is a sentence, with its line; docstrings and parts of texts are none."""
    tree = ast.parse(source)
    left_out = {id(node) for node in _parts(tree)}
    return [
        (node.lineno, _HEAD.sub("", node.value, count=1))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in left_out
        and _is_sentence(node.value)
    ]


def _parts(tree: ast.AST) -> Iterator[ast.AST]:
    """Constants that are no texts of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from node.values


def _is_sentence(text: str) -> bool:
    return " " in text and text.endswith(".") and "\n" not in text
