"""Many applications in one process: what each would compile anew is compiled once.

A process that serves makes one application; these tests make thousands of the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class _KeptTemplates(BytecodeCache):
    """Compiled templates, for as long as the process lives; Jinja compares their sources."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@contextmanager
def compiled_once() -> Iterator[None]:
    """Templates and what was made of each address are kept from one application to the next."""
    options = {**Flask.jinja_options, "bytecode_cache": _KeptTemplates()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", options)
        patch.setattr(Rule, "compile", _compile_once())
        yield


def _compile_once() -> Any:
    """In the place of `Rule.compile`: it copies what an equal rule of another application has."""
    compile_rule = Rule.compile
    kept: dict[Any, Rule] = {}

    def compile_or_copy(rule: Rule) -> None:
        defaults = tuple(sorted((rule.defaults or {}).items()))
        key = (rule.rule, rule.subdomain, rule.host, rule.merge_slashes, defaults)
        known = kept.get(key)
        if known is None:
            compile_rule(rule)
            kept[key] = rule
            return
        rule.arguments = rule.arguments | known.arguments
        for name in ("_parts", "_trace", "_converters"):
            setattr(rule, name, getattr(known, name))
        for name in ("_build", "_build_unknown"):
            # A builder is given the rule that it builds for.
            setattr(rule, name, getattr(known, name).__func__.__get__(rule, None))

    return compile_or_copy
