"""Dependencies of FastAPI's routes: the gateway, the caller, and a body of one shape."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from msgspec.structs import replace
from starlette.types import Scope

from adapters.inbound.http.edge.connections import note_known
from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.server.request_body import decode_as, read_body
from adapters.inbound.http.server.request_headers import RequestHeaders, read_headers
from application.ports.key_directory import Caller
from application.sealed import read_sealed
from domain.errors import DomainError

API_KEY = HTTPBearer(auto_error=False, scheme_name="api_key", description="`gw_...`; `x-api-key` is read too")
ADMIN_KEY = HTTPBearer(auto_error=False, scheme_name="admin_key")


async def gateway_of(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


Using = Annotated[Gateway, Depends(gateway_of)]


async def caller_of(
    request: Request,
    gateway: Using,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(API_KEY)],
) -> Caller:
    return await authenticate(gateway, request.scope, read_headers(request.scope["headers"]))


async def authenticate(gateway: Gateway, scope: Scope, headers: RequestHeaders) -> Caller:
    """As KeyDirectory; from then on the connection is a customer's.

    The admin key is refused, with a message that it opens /admin only.
    """
    if len(headers.secrets) != 1:
        await gateway.strangers.turn(scope)
    secret = headers.secret
    caller = gateway.keys.remembered(secret)
    if caller is None:
        caller = await _looked_up(gateway, scope, secret)
    note_known(scope)
    return caller


async def _looked_up(gateway: Gateway, scope: Scope, secret: str) -> Caller:
    """Look the key up in a stranger's turn. Raises also: DomainError too_many_failed_keys, overloaded."""
    address = gateway.strangers.address_of(scope)
    await gateway.strangers.turn(scope)
    async with gateway.tries.look_up(address):
        try:
            return await gateway.keys.authenticate(secret)
        except DomainError as refusal:
            if refusal.code == "invalid_api_key" and gateway.is_admin(secret):
                raise DomainError("invalid_api_key", mistake="admin_key") from None
            if refusal.code == "invalid_api_key":
                gateway.tries.note(address)
            raise


AnyCaller = Annotated[Caller, Depends(caller_of)]
"""Any key of the account may read (docs/reference/rules.md#keys)."""


async def manager_of(caller: AnyCaller) -> Caller:
    if caller.kind != "management":
        raise DomainError("management_key_required")
    return caller


Manager = Annotated[Caller, Depends(manager_of)]


async def admin_of(
    request: Request,
    gateway: Using,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(ADMIN_KEY)],
) -> None:
    """Raises: DomainError admin_key_required for a valid key that is not the admin key; else as `authenticate`."""
    headers = read_headers(request.scope["headers"])
    if not gateway.is_admin(headers.secret):
        await authenticate(gateway, request.scope, headers)
        raise DomainError("admin_key_required")
    note_known(request.scope)


AdminOnly = Depends(admin_of)


MAX_BODY_BYTES = 64 * 1024
"""Of any body but a generation's: the largest valid one, with every field at its longest, takes 2 KB."""


def json_body(shape: type[msgspec.Struct], sent_by: Callable[..., object], *, may_be_empty: bool = False) -> object:
    """Reads the body as `shape`: `change: Annotated[KeyChange, json_body(KeyChange, manager_of)]`.

    sent_by:       the dependency that finds the caller. It runs first, so that without the right key no byte of a body
                   is read or asked for.
    may_be_empty:  an empty one means `{}`.
    """
    decoder = msgspec.json.Decoder(shape, dec_hook=read_sealed)

    async def read(request: Request, gateway: Using, _: Annotated[object, Depends(sent_by)]) -> msgspec.Struct:
        headers = read_headers(request.scope["headers"])
        limits = replace(gateway.limits, body_bytes=min(gateway.limits.body_bytes, MAX_BODY_BYTES))
        with gateway.bodies.lease() as lease:
            body = await read_body(request.receive, headers, limits, lease)
            if may_be_empty and not body:
                return decoder.decode(b"{}")
            headers.check_is_json()
            return decode_as(decoder, body)

    return Depends(read)
