"""The API's description, as OpenAPI 3.1 has it."""

from __future__ import annotations

from mmstats import __version__
from mmstats.aggregate.chosen import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BY = {"type": "string", "pattern": r"^[^,]+(,[^,]+)*$"}
# No regular expressions, and no more than eight stars. `name{key=value}` is one, too, as its words tell.
GLOB = r"^(?!/[\s\S]*/$)(?![\s\S]*[=!]~)(?![\s\S]*\{[\s\S]*\}$)[^*]*(\*[^*]*){0,8}$"
NAME = r"^(?!/)(?!([\s\S]*/)?\.\.(/|$))[^*\x00]*(\*[^*\x00]*){0,8}$"


def document() -> dict[str, Any]:
    """All paths, what they take, and what they answer."""
    select = _query("select", "only these: globs on the label, or name{key=value}", _strings(GLOB))
    where = _query(
        "where", "only processes with KEY, or KEY=V KEY!=V KEY>V …", _strings(r"^[A-Za-z0-9_][^~]*$")
    )
    since = _query(
        "since",
        "samples after the one with this number",
        {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
    )
    by = _query("by", "`all`, or tags and properties with commas between them", BY)
    split = _query(
        "by", "`all`, `process` for each by its own, or tags and properties with commas between them", BY
    )
    word = _query(
        "aggr", "one number of all processes, whatever the kind", {"type": "string", "enum": list(WORDS)}
    )
    glob = _query("glob", "only files of that name", {"type": "string", "maxLength": 256, "pattern": NAME})
    exact = _query("exact", "that label alone, whatever it is set to", {"type": "string"})
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "mmash", "version": __version__, "description": "What processes publish, as JSON."},
        "components": {"schemas": SCHEMAS},
        "paths": {
            "/api/v1/stats": _get("Each stat", "Stats", select, where, by, word),
            "/api/v1/processes": _get("Who writes each file", "Processes", where),
            "/api/v1/history": _get("The samples that are kept", "History", select, since, split),
            "/api/v1/export.csv": _get("The same as a table", None, select, since, split, media="text/csv"),
            "/api/v1/replay": _post("The same of a recording that is sent", "History", select, split),
            "/api/v1/events": _get("Samples as they come", None, since_event(), media="text/event-stream"),
            "/api/v1/openapi.json": _get("This", "Document"),
            "/stats/": _get("All labels", "Labels", glob),
            "/stats/{name}": _get("Values of labels that begin so", "Values", name, glob, exact, word),
            "/files/": _get("The names of the files", "Files"),
            "/metrics": _get("Everything, for Prometheus", None, media="text/plain"),
            "/healthz": _get("Whether samples are taken", "Health"),
        },
    }


def since_event() -> dict[str, Any]:
    """What says which event was the last one that was seen."""
    schema = {"type": "string", "pattern": r"^([0-9a-f]{8}-[0-9]{1,15})?$"}
    return _query(
        "since", "the id of the event that was seen last; the header Last-Event-ID says the same", schema
    )


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _strings(pattern: str) -> dict[str, Any]:
    return {"type": "array", "maxItems": 16, "items": {"type": "string", "pattern": pattern}}


def _get(
    summary: str, schema: str | None, *parameters: dict[str, Any], media: str = "application/json"
) -> dict[str, Any]:
    told: dict[str, Any] = {} if schema is None else {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    errors = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    answers: dict[str, Any] = {"200": {"description": summary, "content": {media: told}}}
    if any(one["name"] == "by" for one in parameters):
        answers["404"] = {"description": "Nothing has such a tag", "content": errors}
    if parameters:
        answers["400"] = {"description": "That makes no sense", "content": errors}
    if media == "text/event-stream":
        answers["503"] = {"description": "Too many streams are open", "content": errors}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers}}


def _post(summary: str, schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    (told,) = _get(summary, schema, *parameters).values()
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    told["requestBody"] = {"required": True, "content": content}
    error = told["responses"]["400"]["content"]
    told["responses"] |= {
        "403": {"description": "A page from elsewhere asks", "content": error},
        "413": {"description": "It is too large", "content": error},
        "503": {"description": "Another one is looked at", "content": error},
    }
    del told["responses"]["404"]
    return {"post": told}


def _object(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": {**required, **more}}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


TEXT, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}
ANY: dict[str, Any] = {}
NUMBERS = _list({"type": ["number", "null"]})
TAGS = {"type": "object", "additionalProperties": TEXT}
SCHEMA = {"const": 1}
PROBLEM = _object({"file": TEXT, "reason": TEXT})
STAT = _object(
    {
        "schema": SCHEMA,
        "t": NUMBER,
        "cmd": TEXT,
        "group": TEXT,
        "state": TEXT,
        "label": TEXT,
        "tags": TAGS,
        "kind": TEXT,
        "unit": TEXT,
        "value": ANY,
    },
    file=TEXT,
    pid=INTEGER,
    processes=INTEGER,
)
PROCESS = _object(
    {
        "schema": SCHEMA,
        "t": NUMBER,
        "file": TEXT,
        "cmd": TEXT,
        "group": TEXT,
        "pid": INTEGER,
        "state": TEXT,
        "uid": INTEGER,
        "host": TEXT,
        "started": {"type": ["number", "null"]},
        "stats": INTEGER,
        "size": {"type": ["integer", "null"]},
    }
)
SERIES = _object(
    {
        "name": TEXT,
        "label": TEXT,
        "tags": TAGS,
        "group": TEXT,
        "kind": TEXT,
        "what": TEXT,
        "unit": TEXT,
        "help": TEXT,
        "aggregate": TEXT,
        "process": TEXT,
        "values": NUMBERS,
    }
)
SCHEMAS: dict[str, Any] = {
    "Error": _object({"error": TEXT}),
    "Stats": _object({"schema": SCHEMA, "stats": _list(STAT), "problems": _list(PROBLEM)}),
    "Processes": _object({"schema": SCHEMA, "processes": _list(PROCESS), "problems": _list(PROBLEM)}),
    "History": _object(
        {
            "schema": SCHEMA,
            "epoch": TEXT,
            "interval": NUMBER,
            "left_out": INTEGER,
            "failed": {"type": ["string", "null"]},
            "first": INTEGER,
            "last": INTEGER,
            "t": _list(NUMBER),
            "series": _list(SERIES),
        }
    ),
    "Document": {"type": "object"},
    "Labels": _object({"stats": _list(TEXT)}),
    "Values": {"type": "object"},
    "Files": _object({"files": _list(TEXT)}),
    "Health": _object({"status": TEXT}),
}
