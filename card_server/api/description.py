"""What the OpenAPI document says beyond what APIFlask sees: roles, problems, tags, one name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from pydantic.json_schema import models_json_schema

import schema
from card_server.access import decision_of
from card_server.api import shapes
from card_server.api.files import describe_files
from card_server.api.matching import takes_if_match
from card_server.api.pictures import describe_pictures
from card_server.api.problems import KINDS, MEDIA_TYPE, PREFIX

FILE = Path(schema.__file__).with_name("openapi.json")
Json = dict[str, Any]

_ABOUT = """\
What the pages show, for other programs. Rights are those of the token: a role, and how far it
reaches; `x-roles` names the roles that may call an operation. Times are RFC 3339 in UTC; days are
the school's. Nothing that is not named here is taken."""
_EVERYWHERE = (401, 403, 422, 429)
_OF_BODIES = (400, 413, 415)
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that GET gave: nothing is changed when it is not that any more.",
    "schema": {"type": "string"},
}
_SAID = {
    400: "The body is no JSON.",
    401: "No token, or one that is not valid.",
    403: "The token's role may not.",
    404: "There is none within the token's reach.",
    409: "It does not fit what is there; nothing was changed.",
    412: "It is not what If-Match names; nothing was changed.",
    413: "The body is larger than 64 KiB, or a file than its address takes.",
    415: "The body is of another type than its address takes.",
    422: "A value cannot be, or is not known.",
    429: "Too many requests; Retry-After says how long to wait.",
}


def describe(api: APIFlask) -> None:
    """Make `api.spec` the document that is kept in FILE."""
    api.config.update(
        OPENAPI_VERSION="3.1.0",
        INFO={"description": _ABOUT},
        SERVERS=[{"url": "/", "description": "The school's own server."}],
        SECURITY_SCHEMES={
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Made under Settings, Tokens; begins with cc_.",
            }
        },
        AUTO_OPERATION_ID=True,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
    )

    @api.spec_processor
    def finish(document: Any) -> Any:
        return _finish(api, document)


def _finish(api: APIFlask, document: Json) -> Json:
    document = _without_titles(document)
    _name_once(document)
    document["security"] = [{"token": []}]
    components = document["components"]
    components["schemas"] |= _problem_schemas()
    components["responses"] = {KINDS[status].name: _response(status) for status in _SAID}
    components["headers"] = {
        "ETag": {
            "description": "Send it as If-None-Match, or with a change as If-Match.",
            "schema": {"type": "string"},
        }
    }
    components["parameters"] = {"IfMatch": _IF_MATCH}
    for path, method, operation in _operations(document):
        view = _view(api, path, method)
        decision = decision_of(view)
        operation["x-roles"] = sorted(decision.roles) if decision else []
        describe_pictures(view, operation)
        describe_files(view, operation)
        _complete(path, method, operation)
        if takes_if_match(view):
            _add_if_match(operation)
    return document


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _complete(path: str, method: str, operation: Json) -> None:
    """The answers that come of being asked wrongly, and parameters as an address can have them."""
    responses = operation["responses"]
    statuses = [*_EVERYWHERE, *(_OF_BODIES if "requestBody" in operation else ())]
    statuses += [404] if "{" in path or "404" in responses else []
    statuses += [409] if method != "get" else []
    for status in sorted(statuses):
        responses[str(status)] = {"$ref": f"#/components/responses/{KINDS[status].name}"}
    if method == "get":
        responses["200"]["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
        responses["304"] = {"description": "It is what If-None-Match names."}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    for parameter in operation["parameters"]:
        _simplify(parameter)


def _add_if_match(operation: Json) -> None:
    operation["parameters"].append({"$ref": "#/components/parameters/IfMatch"})
    operation["responses"]["412"] = {"$ref": f"#/components/responses/{KINDS[412].name}"}
    if "200" in operation["responses"]:
        operation["responses"]["200"]["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}


def _simplify(parameter: Json) -> None:
    """A parameter is left out rather than null."""
    asked = parameter["schema"]
    if "anyOf" in asked:
        others = [one for one in asked.pop("anyOf") if one != {"type": "null"}]
        asked |= others[0]
    if asked.get("default", 0) is None:
        del asked["default"]
    if "description" in asked:
        parameter["description"] = asked.pop("description")


def _view(api: APIFlask, path: str, method: str) -> Callable[..., Any]:
    address = path.replace("{", "<").replace("}", ">")
    for rule in api.url_map.iter_rules():
        if rule.rule == address and method.upper() in (rule.methods or ()):
            return api.view_functions[rule.endpoint]
    raise LookupError(path)


def _response(status: int) -> Json:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": f"{_SAID[status]} `{PREFIX}{KINDS[status].name}`", "content": content}


def _problem_schemas() -> Json:
    _, made = models_json_schema(
        [(shapes.Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    found: Json = _without_titles(made["$defs"])
    return found


def _name_once(document: Json) -> None:
    """`Students.Student` is `Student`: APIFlask names a model after each that holds it."""
    schemas = document["components"]["schemas"]
    for name in [name for name in schemas if "." in name]:
        short, described = name.rpartition(".")[2], schemas.pop(name)
        schemas.setdefault(short, described)
    _point(document)


def _point(part: Any) -> None:
    """Let references name what they mean by its short name."""
    if isinstance(part, list):
        for one in part:
            _point(one)
    elif isinstance(part, dict):
        to = part.get("$ref")
        if isinstance(to, str) and to.startswith("#/components/schemas/"):
            part["$ref"] = "#/components/schemas/" + to.rpartition("/")[2].rpartition(".")[2]
        for one in part.values():
            _point(one)


def _without_titles(part: Any) -> Any:
    """Pydantic gives each field its own name as a title."""
    if isinstance(part, list):
        return [_without_titles(one) for one in part]
    if not isinstance(part, dict):
        return part
    is_schema = "type" in part or "$ref" in part or "anyOf" in part or "enum" in part
    return {
        name: _without_titles(one)
        for name, one in part.items()
        if not (is_schema and name == "title" and isinstance(one, str))
    }
