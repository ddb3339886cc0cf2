"""The metrics of what the service does: of requests, of who may call, of sessions, of sweeps."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.metrics.rows import (
    HTTP,
    OUTCOME,
    SESSION,
    SHORT_SECONDS,
    SIZES,
    Count,
    Histogram,
    Level,
    Row,
)

REQUESTS: Sequence[Row] = (
    Histogram(
        of="http.request",
        name="optionchain_http_request_seconds",
        description="Time to answer a request, by the template of its route; 499: the caller left",
        labels=("route", "method", "status"),
    ),
    Count(
        of="http.rejected",
        name="optionchain_http_rejected",
        description="Requests refused for the load: 429, 503 and 413",
        labels=("kind",),
        known=("rate_limited", "overloaded", "unavailable", "too_large"),
        by=(HTTP,),
    ),
    Count(
        of="http.replayed",
        name="optionchain_http_replays",
        description="Keyed requests that were given their first answer again",
        by=(HTTP,),
    ),
    Level(of="http.streams", name="optionchain_http_streams", description="Exports and streams under way"),
    Count(
        of="http.exported",
        name="optionchain_http_exported_bytes",
        description="Bytes of exports and streams",
        by=(HTTP,),
    ),
    Histogram(
        of="session.call",
        name="optionchain_session_call_seconds",
        description="Time that a replica waits for a session's answer, its own queue included",
        labels=(OUTCOME,),
    ),
    Level(
        of="session.calls_waiting",
        name="optionchain_session_calls_waiting",
        description="Calls of replicas that wait for a session",
    ),
    Count(
        of="delivery.lost",
        name="optionchain_deliveries_lost",
        description="Calls to an actor that were lost: it died, or took too long",
        labels=("to",),
    ),
)

ACCESS: Sequence[Row] = (
    Count(
        of="http.denied",
        name="optionchain_http_denied",
        description="Requests whose caller is not known, or may not do that: 401 and 403",
        labels=("kind",),
        known=("unauthenticated", "forbidden"),
        by=(HTTP,),
    ),
    Count(
        of="quota.refused",
        name="optionchain_quota_refusals",
        description="Refusals because a quota of a tenant is used up: 429 and 403",
        labels=("quota",),
        known=(
            "sessions",
            "contracts_per_second",
            "export_rows_per_day",
            "sweep_prices_per_day",
            "storage_bytes",
        ),
        by=(HTTP,),
    ),
    Count(
        of="access.unusual",
        name="optionchain_unusual_access",
        description="Bursts of refusals of one caller on one route; the log says whose",
        labels=("status",),
        known=("401", "403", "404"),
        by=(HTTP,),
    ),
    Count(
        of="access.paused",
        name="optionchain_sign_in_pauses",
        description="Pauses for addresses whose sign-ins fail; the log says whose",
        by=(HTTP,),
    ),
    Count(
        of="access.many_networks",
        name="optionchain_keys_from_many_networks",
        description="Keys and people who were seen from many networks within an hour; the log says whose",
        by=(HTTP,),
    ),
    Count(
        of="tokens.refused",
        name="optionchain_tokens_refused",
        description="Tokens that are not accepted, by the claim or the part at fault",
        labels=("reason",),
        known=("bad_signature", "expired_token", "invalid_claim", "key", "tenant"),
        by=(HTTP,),
    ),
    Count(
        of="audit.lost",
        name="optionchain_audit_lost",
        description="Entries of the audit log that found no room while MongoDB was silent",
        by=(HTTP,),
    ),
    Level(
        of="keys.held",
        name="optionchain_api_keys",
        description="Managed API keys that work",
        over_processes=max,
    ),
    Level(
        of="keys.unheard",
        name="optionchain_api_keys_unheard",
        description="Replicas that a revocation of a key may not reach within a second",
    ),
)

SESSIONS: Sequence[Row] = (
    Histogram(
        of="session.batch",
        name="optionchain_batch_seconds",
        description="Time to serve a batch",
    ),
    Histogram(
        of="session.batch",
        fact="calls",
        name="optionchain_batch_size",
        description="Calls served together",
        buckets=SIZES,
    ),
    Histogram(
        of="session.batch",
        fact="waited",
        name="optionchain_session_wait_seconds",
        description="Time that the first call of a batch waited for its actor",
        buckets=SHORT_SECONDS,
    ),
    Level(
        of="session.mailbox",
        name="optionchain_session_mailbox",
        description="Calls that wait at session actors",
    ),
    Histogram(
        of="session.render",
        name="optionchain_render_seconds",
        description="Time to price and render the snapshots of a batch",
        buckets=SHORT_SECONDS,
    ),
    Histogram(
        of="session.commit",
        name="optionchain_commit_seconds",
        description="Time to store checkpoints",
        labels=(OUTCOME,),
    ),
    Histogram(
        of="session.commit",
        fact="checkpoints",
        name="optionchain_commit_size",
        description="Checkpoints stored together",
        buckets=SIZES,
    ),
    Count(
        of="session.steps",
        name="optionchain_steps",
        description="Snapshots that moved a cursor, by market model",
        labels=("model",),
    ),
    Count(
        of="session.snapshots_cached",
        name="optionchain_snapshot_cache_hits",
        description="Snapshots that were cached",
        by=(SESSION,),
    ),
    Count(
        of="session.snapshots_found",
        name="optionchain_shared_snapshot_hits",
        description="Snapshots that were found in Redis: rendered by another actor, or before a restart",
        by=(SESSION,),
    ),
    Count(
        of="session.created",
        name="optionchain_sessions_created",
        description="Sessions created, of v1 (`chain`) and v2 (`simulation`)",
        labels=("kind",),
        known=("chain", "simulation"),
        by=(SESSION,),
    ),
    Count(
        of="session.deleted",
        name="optionchain_sessions_deleted",
        description="Sessions that a caller deleted",
        labels=("kind",),
        known=("chain", "simulation"),
        by=(SESSION,),
    ),
    Count(
        of="session.expired",
        name="optionchain_sessions_expired",
        description="Sessions whose time to live was over, found by the clean-up",
        by=(SESSION,),
    ),
    Level(
        of="session.alive",
        name="optionchain_sessions_alive",
        description="Sessions that there are, in memory or not",
        over_processes=max,
    ),
    Level(of="session.resident", name="optionchain_resident_sessions", description="Sessions in memory"),
    Count(
        of="session.activated",
        name="optionchain_activations",
        description="Sessions loaded from the store",
        by=(SESSION,),
    ),
    Count(
        of="session.evicted",
        name="optionchain_evictions",
        description="Sessions that left memory",
        by=(SESSION,),
    ),
    Count(
        of="session.conflicts",
        name="optionchain_conflicts",
        description="Checkpoints refused: another writer was first",
        by=(SESSION,),
    ),
    Count(
        of="session.not_kept",
        name="optionchain_steps_not_kept",
        description="Served steps whose keeping found no room",
        by=(SESSION,),
    ),
    Level(of="session.paths", name="optionchain_cached_paths", description="Price paths in memory"),
    Level(
        of="session.snapshots",
        name="optionchain_cached_snapshots",
        description="Rendered snapshots in memory",
    ),
)

SWEEPS: Sequence[Row] = (
    Count(
        of="sweep.scenarios",
        name="optionchain_sweep_scenarios",
        description="Scenarios that sweeps have finished",
    ),
    Count(of="sweep.paths", name="optionchain_sweep_paths", description="Paths that sweeps have simulated"),
    Count(
        of="sweep.contracts",
        name="optionchain_sweep_contracts",
        description="Contracts that sweeps have priced",
    ),
    Count(
        of="sweep.failures", name="optionchain_sweep_failures", description="Scenarios of sweeps that failed"
    ),
    Level(of="sweep.running", name="optionchain_sweep_running", description="Sweeps that run"),
)
