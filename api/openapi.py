"""The interface as OpenAPI 3.1: made from the routes and from the domain's own descriptions."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import schemas
from api.answer_components import ANSWERS
from api.components import PARAMETERS, RESPONSES, SCHEMAS
from api.schema_objects import REF, UUID
from domain.codec import DERIVED, json_schema
from domain.topics import EVENTS, SEALED_FIELDS

if TYPE_CHECKING:
    from api.write_addresses import Address

TITLE = "vaxledger"
VERSION = "1"
DESCRIPTION = """预防接种记录完整性账本。A tamper-evident ledger of vaccination records.

Writes are signed statements: the body's envelope signs what will stand in the log, personal values
travel beside it and are committed to. Every write answers with a proof that can be kept and
verified offline. Errors are RFC 9457 problems whose `type` opens a page that says what to do."""

BODIES = (
    schemas.ClaimRequest,
    schemas.GrantRequest,
    schemas.RevocationRequest,
    schemas.CredentialRevocation,
    schemas.ReleaseRequest,
    schemas.VisitRequest,
    schemas.HoldRequest,
    schemas.WalkInRequest,
    schemas.MoveRequest,
    schemas.CancelRequest,
    schemas.BookingSearch,
    schemas.SearchRequest,
    schemas.CorrectionPreview,
    schemas.ListedChild,
    schemas.ClassListReview,
    schemas.PersonalRequest,
    schemas.TokenRequest,
)
_PUBLIC_TAGS = frozenset(("operation", "pages", "development", "evaluations"))
_PUBLIC = frozenset(
    (
        "getCheckpoint",
        "getLogKeys",
        "getLogKeyHistory",
        "getPolicy",
        "getTile",
        "getInclusionProof",
        "getConsistencyProof",
        "getSchema",
        "getTrustList",
        "getTrustRoot",
        "getStatusList",
        "getSupersededList",
        "getStatementStatus",
        "listOffers",
    )
)


def write_operations(addresses: "Iterable[Address]") -> Mapping[str, Mapping[str, Any]]:
    """What OpenAPI says of each signed write beside its path, by operation."""
    return {address.operation: _write_operation(address) for address in addresses}


def install(app: FastAPI) -> None:
    """Let the app describe itself in full, once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the framework's documented way


def _write_operation(address: "Address") -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [{"$ref": "#/components/parameters/IdempotencyKey"}]
    if not address.is_for_new_streams:
        parameters += [
            {"$ref": "#/components/parameters/IfMatch"},
            {"name": "stream", "in": "path", "required": True, "schema": UUID},
        ]
    return {
        "description": "Takes a signed statement of one of the topics in "
        "`x-vaxledger-statements`, whose `data` has the schema given there.",
        "parameters": [*parameters, {"$ref": "#/components/parameters/Prefer"}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"{REF}SignedBody"}}},
        },
        "x-vaxledger-statements": {topic: {"$ref": f"{REF}{topic}"} for topic in address.topics},
        "x-vaxledger-receipt": True,
    }


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=app.description,
        routes=app.routes,
    )
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
    components = document.setdefault("components", {})
    # Of what the framework has made only the closed lists of parameters are referred to.
    lists = {name: made for name, made in components.get("schemas", {}).items() if "enum" in made}
    components["schemas"] = lists | _schemas()
    components["parameters"] = PARAMETERS
    components["responses"] = RESPONSES
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT (RFC 9068)"}
    }
    return document


def _complete(operation: dict[str, Any]) -> None:
    """Give an operation its answers, and say whether it asks for a token."""
    name, tags = operation["operationId"], set(operation.get("tags", ()))
    if not (tags & _PUBLIC_TAGS or name in _PUBLIC):
        operation["security"] = [{"bearer": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    if operation.pop("x-vaxledger-receipt", False):
        responses.clear()
        responses["201"] = {"$ref": "#/components/responses/Written"}
        responses["202"] = {"$ref": "#/components/responses/Accepted"}
    elif name in ANSWERS:
        media_type, schema, text = ANSWERS[name]
        responses["200"] = {"description": text, "content": {media_type: {"schema": schema}}}
    responses["default"] = {"$ref": "#/components/responses/Problem"}


def _schemas() -> dict[str, Any]:
    made = {body.__name__: body.model_json_schema(ref_template=REF + "{model}") for body in BODIES}
    for schema in list(made.values()):
        made |= schema.pop("$defs", {})
    made |= {topic: _statement_data(topic) for topic in EVENTS}
    return dict(sorted({**made, **SCHEMAS}.items()))


def _statement_data(topic: str) -> dict[str, Any]:
    """The clear fields of a topic as an author signs them, and what is sealed beside them."""
    schema = json_schema(EVENTS[topic])
    properties = {name: of for name, of in schema["properties"].items() if name != DERIVED}
    sealed = {
        role: {
            "required": vocabulary.required,
            "values": {
                name: field.what + ("" if field.required else " (optional)")
                for name, field in vocabulary.fields.items()
            },
        }
        for role, vocabulary in SEALED_FIELDS.get(topic, {}).items()
    }
    return {
        "title": topic,
        "description": schema["description"],
        "type": "object",
        "properties": properties,
        "required": [name for name in schema["required"] if name != DERIVED],
        "additionalProperties": False,
        **({"x-vaxledger-sealed": sealed} if sealed else {}),
    }
