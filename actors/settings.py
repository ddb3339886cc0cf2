"""What can be set of the actors: how sessions, history and configurations are kept and served."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from actors.line.address import ANY_PORT, parse_ports
from actors.sessions.placement import parse_placement
from optionchain.errors import InvalidInput


class ConfigSettings(BaseModel):
    """How configurations are served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_running: int = Field(32, ge=1, description="Queries that run at a time")
    max_waiting: int = Field(1024, ge=0, description="Queries that may wait; then 503")
    fresh_seconds: float = Field(
        300.0, gt=0, description="How long a configuration is fresh while changes are heard"
    )
    unheard_seconds: float = Field(0.3, gt=0, description="The same for a server that announces no changes")
    stale_seconds: float = Field(
        86_400.0, ge=0, description="How much longer it is given while MongoDB is down"
    )
    replica_seconds: float = Field(0.5, gt=0, description="How long a replica goes by what it last heard")
    timeout_seconds: float = Field(5.0, gt=0, description="A caller's patience with one query; then 503")


class HistorySettings(BaseModel):
    """How history is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_running: int = Field(32, ge=1, description="Queries that run at a time")
    max_waiting: int = Field(1024, ge=0, description="Queries that may wait; then 503")
    page_bars: int = Field(20_000, ge=1, description="Bars that travel together; a longer answer is streamed")
    max_window_bars: int = Field(5_000_000, ge=1, description="Bars that a historical model may draw from")
    chain_seconds: float = Field(
        3600.0,
        gt=0,
        description="How long chains, bars and analytics are fresh in the cache; a change ends it",
    )
    listing_seconds: float = Field(10.0, gt=0, description="How long lists of assets and ranges are fresh")
    stale_seconds: float = Field(
        86_400.0, ge=0, description="How much longer they are given while MongoDB is down"
    )
    analytics_stale_seconds: float = Field(
        600.0, ge=0, description="The same for bars and analytics, of which there is no end"
    )
    warm_days: int = Field(32, ge=0, description="Most used days that are loaded when the actor starts")
    housekeeping_seconds: float = Field(
        300.0, gt=0, description="Rhythm of what keeps the store and cache in order"
    )
    timeout_seconds: float = Field(10.0, gt=0, description="A caller's patience with one query; then 503")


class TaskSettings(BaseModel):
    """What is done later, and again, and how much of it at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_running: int = Field(4, ge=1, le=1000, description="Runs of tasks at a time; the others wait")
    max_running_of_owner: int = Field(3, ge=1, le=1000, description="The same of one owner")
    max_tasks: int = Field(1000, ge=1, description="Tasks of one owner that are not over; then 503")
    look_seconds: float = Field(1.0, ge=0.05, le=60, description="Rhythm of looks for what is new")
    grace_seconds: float = Field(
        60.0, ge=1, description="What is late by less was not missed, whatever the task says of what was"
    )
    lease_seconds: float = Field(
        15.0,
        ge=3,  # workers say something every second
        description="A worker that is silent for longer is taken for dead; another takes its run up",
    )
    stop_seconds: float = Field(
        10.0, gt=0, description="A cancelled run that goes on for longer has its worker killed"
    )
    keep_days: float = Field(30.0, gt=0, description="How long runs that are over are remembered")
    overdue_seconds: float = Field(
        3600.0, gt=0, description="A run that has not succeeded so long after its time is overdue, in metrics"
    )
    max_heartbeats: int = Field(
        100, ge=0, le=1000, description="Named tasks whose last success is in metrics, each a series"
    )
    places: str = Field(
        "",
        description="Folders and URLs, separated by commas, below which tasks may read and write files: "
        "`/srv/exports,s3://bucket/reports`; empty for none",
    )
    timeout_seconds: float = Field(5.0, gt=0, description="A caller's patience with the queue; then 503")


class SessionSettings(BaseModel):
    """How sessions are placed, kept and served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    placement: str = Field(
        "shards:1",
        description="`shards:N` hosts all sessions in N actors, `per-session` gives each a process; where this is not "
        "set, `up` takes an actor for each two cores",
    )
    transport: Literal["socket", "ray"] = Field(
        "socket", description="How calls reach the actors: over sockets of their own, or as calls of Ray"
    )
    ports: str = Field(
        ANY_PORT,
        description="Ports on which actors listen for other nodes: `20500-20599`, or `0` for any free one",
    )
    socket_folder: Path | None = Field(
        None,
        description="Folder, for its owner alone, of the sockets for the same node; empty means one of this user's",
    )
    max_message_megabytes: int = Field(
        256, ge=1, le=4095, description="Bound of one call or answer over a socket"
    )
    ttl_seconds: float = Field(86_400.0, ge=1, description="How long a session lives after its last write")
    max_resident: int = Field(20_000, ge=1, description="Sessions that one actor holds in memory")
    resident_megabytes: int = Field(256, ge=1, description="Bound of the memory of those sessions")
    max_idle_seconds: float = Field(600.0, gt=0, description="An unused session leaves memory after this")
    sweep_seconds: float = Field(
        30.0, gt=0, description="Rhythm of eviction and of the clean-up of expired sessions"
    )
    path_megabytes: int = Field(64, ge=1, description="Bound of the price paths that one actor caches")
    snapshot_megabytes: int = Field(
        64, ge=1, description="Bound of the rendered snapshots that one actor caches"
    )
    shared_contracts: int = Field(
        300,
        ge=0,
        description="Snapshots of at least so many strikes are kept in Redis too, for other actors and after a "
        "restart; 0 for none",
    )
    shared_seconds: float = Field(120.0, gt=0, description="How long they are kept there")
    shared_megabytes: int = Field(64, ge=1, description="Bound of all of them")
    max_waiting: int = Field(4_096, ge=1, description="Calls that may wait at one actor or replica; then 503")
    max_batch: int = Field(
        256, ge=1, description="Calls, or snapshots of calls for several, that travel and are stored together"
    )
    max_answer_contracts: int = Field(
        250_000, ge=1, description="Strikes of all snapshots of one answer (60 MB); then 400"
    )
    timeout_seconds: float = Field(8.0, gt=0, description="A caller's patience, retries included; then 503")
    delivery_timeout_seconds: float = Field(4.0, gt=0, description="Patience with one delivery to an actor")
    keep_steps: bool = Field(
        False, description="Keep the steps that were served in MongoDB, for good; `GET /api/v1/results/{id}`"
    )
    keep_seconds: float = Field(1.0, gt=0, description="Rhythm in which they are written, beside the answers")

    @field_validator("placement")
    @classmethod
    def _placement_is_known(cls, placement: str) -> str:
        try:
            parse_placement(placement)
        except InvalidInput as error:
            raise ValueError(error.reason) from error
        return placement

    @field_validator("ports")
    @classmethod
    def _ports_are_ports(cls, ports: str) -> str:
        try:
            parse_ports(ports)
        except InvalidInput as error:
            raise ValueError(error.reason) from error
        return ports
