"""HTTP: named configurations and their versions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Depends, Header, Path, Query, Request, Response

from optionchain.access.roles import Permission
from optionchain.configuration.versions import configuration_name
from optionchain.context import Principal
from optionchain.errors import InvalidInput
from serve_app.bodies.history import ConfigurationHistory, ConfigurationList, ConfigurationView, ParameterView
from serve_app.edge.caller import Caller, context_of
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors, shown
from serve_app.routes.history import cached_response
from serve_app.shared_services import ConfigService


async def current_configurations(request: Request) -> ConfigService:
    """The configuration service of this replica, for the request's caller."""
    service: ConfigService = request.app.state.services.configurations
    return service.on_behalf_of(context_of(request))


Configurations = Annotated[ConfigService, Depends(current_configurations)]


@handler("List the configurations", responses=shown(ConfigurationList) | errors())
async def names(configurations: Configurations) -> Response:
    return json_response(await configurations.names())


@handler("A parameter, and where its value comes from", responses=shown(ParameterView) | errors(400, 404))
async def parameter(
    name: str,
    key: Annotated[
        str, Path(description="With dots; of `simulator` the last part will do", examples=["spread"])
    ],
    configurations: Configurations,
    caller: Caller,
) -> Response:
    """Of a secret configuration, administrators alone see one."""
    found = await configurations.parameter(configuration_name(name), key, _sees_secrets(caller))
    return cached_response(found)


@handler("A configuration", responses=shown(ConfigurationView) | errors(400, 404))
async def get(
    name: str,
    configurations: Configurations,
    caller: Caller,
    version: Annotated[
        int | None, Query(ge=0, le=2**31 - 1, description="Absent: the latest; 0: built in")
    ] = None,
) -> Response:
    """Where nobody has written `simulator`, it is version 0: the values that are built in. The values of a secret one
    are null but for administrators."""
    return cached_response(await configurations.get(configuration_name(name), version, _sees_secrets(caller)))


@handler("Store a new version", responses=shown(ConfigurationView) | errors(400, 403, 409))
async def save(
    name: str,
    configurations: Configurations,
    body: Annotated[dict[str, Any], Body(description="The values")],
    admin: Caller,
    if_match: Annotated[
        str, Header(alias="If-Match", description="The latest version; 0 for a new configuration")
    ] = "0",
    secret: Annotated[
        bool,
        Query(description="Encrypt the values where they are stored, and show them to administrators alone"),
    ] = False,
) -> Response:
    """Versions are never overwritten. With a version that is not the latest any more it is 409."""
    expected = _version(if_match)
    saved = await configurations.save(configuration_name(name), body, expected, admin.tenant, secret)
    return json_response(saved)


@handler("The versions of a configuration", responses=shown(ConfigurationHistory) | errors(400, 404))
async def history(
    name: str,
    configurations: Configurations,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """The latest comes first."""
    found = await configurations.history(configuration_name(name), limit, _sees_secrets(caller))
    return json_response(found)


def _sees_secrets(caller: Principal) -> bool:
    return caller.may(Permission.ADMINISTER)


def _version(if_match: str) -> int:
    """The version of an `If-Match`, with or without the quotes of an entity tag."""
    text = if_match.strip().strip('"')
    if not text.isdecimal() or not text.isascii() or len(text) > 10:
        raise InvalidInput("If-Match", "must be the latest version, or 0 for a new configuration")
    return int(text)
