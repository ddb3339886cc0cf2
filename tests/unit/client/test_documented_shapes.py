"""The client's types are what the server documents: no parameter and no answer drifts apart unseen."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pytest
from pydantic import BaseModel

from optionchain.chains import GreekSet
from optionchain.export import Dataset, Format, Layout
from optionchain.wire.parameters import PLAIN_FIELDS
from optionchain_client import activity as client_activity
from optionchain_client import exports, parameters, views
from optionchain_client import quotas as client_quotas
from serve_app.bodies import chains, history, simulation_answers, simulations, tasks
from serve_app.openapi import documentation
from serve_app.openapi.schedule_schema import schedules_schema
from serve_app.routes import activity, fans, quotas, sweeps
from serve_app.routes.exports import ExportQuery

JSON_TYPES: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    list: "array",
    Sequence: "array",
    dict: "object",
    Mapping: "object",
    datetime: "string",
    date: "string",
}


def of_annotation(kind: Any) -> set[str]:
    """The JSON types of an annotation."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return set().union(*map(of_annotation, get_args(kind)))
    if origin in (Required, NotRequired):
        return of_annotation(get_args(kind)[0])
    if origin is Literal:
        return {JSON_TYPES[type(value)] for value in get_args(kind)}
    if is_typeddict(kind):
        return {"object"}
    return {JSON_TYPES[origin or kind]}


def of_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> set[str]:
    """The JSON types of a schema; of one that says nothing, none."""
    if "$ref" in schema:
        return of_schema(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return set().union(*(of_schema(each, definitions) for each in schema[alternatives]))
    if "const" in schema:
        return {JSON_TYPES[type(schema["const"])]}
    if "enum" in schema:
        return {JSON_TYPES[type(value)] for value in schema["enum"]}
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)


def differences(kind: Any, schema: Mapping[str, Any], *, is_answer: bool = False) -> list[str]:
    """How a TypedDict of the client differs from an object of the server's."""
    definitions, properties = schema.get("$defs", {}), schema["properties"]
    hints = get_type_hints(kind)
    found = [f"{name}: only in the client" for name in hints.keys() - properties.keys()]
    found += [f"{name}: only in the server" for name in properties.keys() - hints.keys()]
    if not is_answer:
        required = set(schema.get("required", ()))
        found += [f"{name}: required by one" for name in sorted(required ^ kind.__required_keys__)]
    for name in hints.keys() & properties.keys():
        theirs = of_schema(properties[name], definitions)
        if not is_answer and name in schema.get("required", ()):
            # Models that the server reads by hand have a null where a required key is missing.
            theirs.discard("null")
        if theirs and (ours := of_annotation(hints[name])) != theirs:
            found.append(f"{name}: {sorted(ours)} in the client, {sorted(theirs)} in the server")
    return found


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        (parameters.SessionParameters, chains.ChainParameters),
        (parameters.SessionChanges, chains.ChainChanges),
        (parameters.SimulationParameters, simulations.SimulationRequest),
        (parameters.SweepDefinition, sweeps.SweepRequest),
        (parameters.TaskDefinition, tasks.TaskRequest),
    ],
)
def test_what_is_sent_is_what_the_server_reads(kind: Any, model: type[BaseModel]) -> None:
    assert differences(kind, model.model_json_schema()) == []


def test_what_a_sweep_varies_is_a_session_or_a_simulation() -> None:
    schedule = {"timezone", "calendar", "expiration_time", "schedules"}
    wire = {*PLAIN_FIELDS, *schedule, "method", "time_frame", "days_to_expiration", "start_at"}

    assert get_type_hints(parameters.SweepBase).keys() == wire
    of_either = get_type_hints(parameters.SessionParameters) | get_type_hints(parameters.SimulationParameters)
    assert wire <= of_either.keys()


def test_a_rule_has_the_keys_of_every_kind_of_rule() -> None:
    kinds = schedules_schema()["items"]["oneOf"]
    keys = set().union(*(kind["properties"] for kind in kinds))
    always = set.intersection(*(set(kind["required"]) for kind in kinds))

    assert get_type_hints(parameters.Rule).keys() == keys
    assert parameters.Rule.__required_keys__ == always
    assert get_args(get_type_hints(parameters.Rule)["kind"]) == tuple(
        kind["properties"]["kind"]["const"] for kind in kinds
    )


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        (views.SessionView, documentation.SessionView),
        (views.SimulationView, simulation_answers.SimulationView),
        (views.CursorView, simulation_answers.Cursor),
        (views.FanView, fans.FanView),
        (client_activity.ActivityView, activity.ActivityView),
        (client_activity.ExpirationActivity, activity.ExpirationActivity),
        (client_activity.ContractActivity, activity.ContractActivity),
        (client_activity.SideActivity, activity.SideActivity),
        (views.SweepView, sweeps.SweepView),
        (views.SweepProgress, sweeps.SweepProgress),
        (views.TaskView, tasks.TaskView),
        (views.RunView, tasks.RunView),
        (client_quotas.QuotaAmounts, quotas.Limits),
        (client_quotas.TenantQuotas, quotas.TenantQuotas),
        (client_quotas.UsedQuotas, quotas.UsedQuotas),
        (views.AssetView, history.AssetView),
        (views.ChainDays, history.ChainDays),
        (views.Days, history.Days),
        (views.Bar, history.Bar),
        (views.VolatilityRow, history.VolatilityRow),
        (views.RealisedVolatility, history.RealisedVolatility),
        (views.HistoricalChain, history.HistoricalChainView),
        (views.HistoricalExpiration, history.HistoricalExpiration),
        (views.HistoricalContract, history.HistoricalContract),
        (views.HistoricalUnderlying, history.HistoricalUnderlying),
        (views.SavedChain, history.SavedChain),
        (views.ConfigurationVersion, history.ConfigurationVersion),
        (views.ConfigurationView, history.ConfigurationView),
        (views.StoredConfiguration, history.StoredConfiguration),
        (views.ParameterView, history.ParameterView),
        (views.Result, history.Result),
    ],
)
def test_what_is_answered_is_what_the_server_documents(kind: Any, model: type[BaseModel]) -> None:
    assert differences(kind, model.model_json_schema(), is_answer=True) == []


@pytest.mark.parametrize(
    ("parameters_of", "shown"),
    [
        (parameters.SessionParameters, documentation.ShownParameters),
        (parameters.SimulationParameters, simulation_answers.SimulationParametersView),
    ],
)
def test_what_is_shown_of_parameters_may_be_sent(parameters_of: Any, shown: type[BaseModel]) -> None:
    # A product is shown as what it says.
    assert get_type_hints(parameters_of).keys() - {"product"} == shown.model_fields.keys()


def test_quotas_are_set_by_the_names_that_the_server_reads() -> None:
    assert get_type_hints(client_quotas.QuotaLimits) == dict.fromkeys(quotas.Limits.model_fields, int)


def test_an_export_is_asked_for_as_the_server_reads_it() -> None:
    assert exports.export_query(format="csv").keys() == ExportQuery.model_fields.keys()
    assert get_args(exports.Dataset) == tuple(Dataset)
    assert set(exports.FORMATS) <= set(Format)
    assert get_args(exports.Layout) == tuple(Layout)
    assert get_args(parameters.Greeks) == get_args(GreekSet)


def test_a_drift_is_found() -> None:
    class Server(BaseModel):
        kept: int
        new: float | None = None
        other: str | None = None

    # The class syntax would have its annotations as text here.
    kind = TypedDict("kind", {"kept": str, "gone": NotRequired[int], "other": str | None})  # noqa: UP013

    assert sorted(differences(kind, Server.model_json_schema())) == [
        "gone: only in the client",
        "kept: ['string'] in the client, ['integer'] in the server",
        "new: only in the server",
        "other: required by one",
    ]
