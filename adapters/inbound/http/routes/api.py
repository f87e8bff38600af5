"""FastAPI with all its routes, and the OpenAPI document of the whole surface."""

from collections.abc import Sequence
from typing import Any, NoReturn

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException

from adapters.inbound.http.errors.envelopes import ErrorEnvelope
from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.routes import admin_accounts, admin_keys, chat, credit, generation, health, key, keys, models
from adapters.inbound.http.server.after_customers import AfterCustomers
from adapters.inbound.http.server.boundary import Boundary, Guarded
from adapters.inbound.http.server.drain import Drain
from adapters.inbound.http.server.kept_body import KeptBody
from adapters.inbound.http.server.patience import Patient
from adapters.inbound.http.shapes.json_shape import Shape, answers, schemas
from domain.errors import DomainError

NOUNS = (chat, models, generation, credit, key, keys, admin_accounts, admin_keys, health)

REFUSED = answers(ErrorEnvelope, "A refusal: docs/reference/errors.md has every code.", "default")

WITHOUT_BODIES: TelemetryConfig = {"logs": False}
"""FastAPI's log records hold request bodies."""

CODES = {404: "not_found", 405: "method_not_allowed"}


class Api(FastAPI):
    """Names the schemas of our shapes; FastAPI knows only its own."""

    shapes: Sequence[Shape] = ()

    def openapi(self) -> dict[str, Any]:
        """FastAPI's document, with our schemas and our errors in place of its own."""
        if self.openapi_schema:
            return self.openapi_schema
        document = super().openapi()
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)  # a wrong body or parameter is 400 here
                operation["responses"] |= REFUSED
        document["components"]["schemas"] = schemas(self.shapes)
        return document


def create_api(gateway: Gateway, boundary: Boundary, drain: Drain) -> Api:
    api = Api(
        title="Gatewayz",
        version=gateway.version,
        redirect_slashes=False,
        telemetry=WITHOUT_BODIES,
        openapi_url=None,  # served below, its bytes kept
        docs_url=None,  # FastAPI's pages load scripts of other hosts and ask for a key: /openapi.json serves any viewer
        redoc_url=None,
    )
    api.state.gateway = gateway
    api.state.drain = drain
    api.state.model_lists = models.Lists()
    api.state.metrics_text = health.metrics_text(gateway)
    api.shapes = [ErrorEnvelope, *(shape for noun in NOUNS for shape in noun.SHAPES)]
    for noun in NOUNS:
        api.include_router(noun.router)
    document: KeptBody[Api] = KeptBody(lambda of: bytes(JSONResponse(of.openapi()).body))

    async def openapi(request: Request) -> Response:
        return document.answer(request, api)

    api.add_api_route("/openapi.json", openapi, include_in_schema=False)
    api.add_exception_handler(HTTPException, _refuse_route)
    api.add_exception_handler(RequestValidationError, _refuse_parameter)
    api.add_middleware(Patient, patience_s=gateway.limits.patience_s)
    api.add_middleware(AfterCustomers, gateway=gateway, cors=boundary.cors)
    api.add_middleware(Guarded, boundary=boundary)
    return api


async def _refuse_route(_: Request, wrong: Exception) -> NoReturn:
    assert isinstance(wrong, HTTPException)
    if wrong.status_code in CODES:
        raise DomainError(CODES[wrong.status_code], **_allowed(wrong))
    raise wrong


async def _refuse_parameter(_: Request, wrong: Exception) -> NoReturn:
    assert isinstance(wrong, RequestValidationError)
    first = wrong.errors()[0]
    raise DomainError("invalid_request", param=str(first["loc"][-1]), message=str(first["msg"]))


def _allowed(wrong: HTTPException) -> dict[str, str]:
    """The methods of a 405, which RFC 9110 wants named."""
    methods = (wrong.headers or {}).get("Allow")
    return {"allow": methods} if methods else {}
