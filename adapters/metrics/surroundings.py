"""The metrics of what the service stands on: stores and caches, their servers, its own processes."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.metrics.rows import OPERATION, OUTCOME, PROCESS, SHORT_SECONDS, Count, Histogram, Level, Row

STORES: Sequence[Row] = (
    Histogram(
        of="redis.call",
        name="optionchain_redis_seconds",
        description="Time that Redis takes for what we ask of it, by who asks and what for",
        labels=(OPERATION, OUTCOME),
        buckets=SHORT_SECONDS,
    ),
    Histogram(
        of="mongodb.call",
        name="optionchain_mongodb_seconds",
        description="Time that MongoDB takes for a command",
        labels=("command", "collection", OUTCOME),
        buckets=SHORT_SECONDS,
    ),
    Count(
        of="cache.hits",
        name="optionchain_cache_hits",
        description="Reads that the cache of history and configurations answered",
        labels=("tier", "kind"),
    ),
    Count(
        of="cache.misses",
        name="optionchain_cache_misses",
        description="Reads that it did not answer",
        labels=("kind",),
    ),
    Level(
        of="breaker.opened",
        name="optionchain_circuit_open",
        description="1 while what does not answer is left alone",
        labels=("dependency",),
        value=1.0,
        over_processes=max,
    ),
    Level(
        of="breaker.closed",
        name="optionchain_circuit_open",
        description="1 while what does not answer is left alone",
        labels=("dependency",),
        value=0.0,
        over_processes=max,
    ),
    Count(
        of="breaker.refused",
        name="optionchain_circuit_refusals",
        description="Calls refused at once meanwhile",
        labels=("dependency",),
    ),
    Histogram(
        of="history.*",
        name="optionchain_history_seconds",
        description="Time of a call in the history actor",
        labels=(OPERATION, OUTCOME),
    ),
    Histogram(
        of="configuration.*",
        name="optionchain_configuration_seconds",
        description="Time of a call in the configuration actor",
        labels=(OPERATION, OUTCOME),
    ),
)

SERVERS: Sequence[Row] = (
    Level(
        of="server.up",
        name="optionchain_server_up",
        description="1 while Redis or MongoDB answers its watcher",
        labels=("server",),
        over_processes=max,
    ),
    Level(
        of="server.seen",
        name="optionchain_server_seen_timestamp_seconds",
        description="Heartbeat: Unix time at which it last answered",
        labels=("server",),
        over_processes=max,
    ),
    Level(
        of="certificate.expires",
        name="optionchain_certificate_expires_timestamp_seconds",
        description="When the certificate of a line is worth nothing any more (Unix time); 0: it cannot be read",
        labels=("line",),
        over_processes=min,
    ),
    Level(
        of="redis.memory_bytes",
        name="optionchain_redis_memory_bytes",
        description="What Redis holds (`used_memory`)",
        over_processes=max,
    ),
    Level(
        of="redis.max_memory_bytes",
        name="optionchain_redis_max_memory_bytes",
        description="What it may hold (`maxmemory`); 0: no bound",
        over_processes=max,
    ),
    Level(
        of="redis.fragmentation",
        name="optionchain_redis_fragmentation_ratio",
        description="Memory that it takes over what it holds",
        over_processes=max,
    ),
    Level(
        of="redis.evicted_keys",
        name="optionchain_redis_evicted_keys",
        description="Keys that it threw away for want of memory, since it began",
        over_processes=max,
    ),
    Level(
        of="redis.connections",
        name="optionchain_redis_connections",
        description="Connections that Redis has open",
        over_processes=max,
    ),
    Level(
        of="redis.max_connections",
        name="optionchain_redis_max_connections",
        description="As many as it may have (`maxclients`)",
        over_processes=max,
    ),
    Level(
        of="redis.replicas",
        name="optionchain_redis_replicas",
        description="Replicas that follow it",
        over_processes=max,
    ),
    Level(
        of="redis.replica_lag_seconds",
        name="optionchain_redis_replica_lag_seconds",
        description="Since the slowest replica was heard of",
        over_processes=max,
    ),
    Level(
        of="mongodb.connections",
        name="optionchain_mongodb_connections",
        description="Connections that MongoDB has open",
        over_processes=max,
    ),
    Level(
        of="mongodb.max_connections",
        name="optionchain_mongodb_max_connections",
        description="As many as it may have",
        over_processes=max,
    ),
    Level(
        of="mongodb.page_faults",
        name="optionchain_mongodb_page_faults",
        description="Times that it waited for a page of memory from its disk, since it began",
        over_processes=max,
    ),
    Level(
        of="mongodb.disk_free_bytes",
        name="optionchain_mongodb_disk_free_bytes",
        description="Room on the disk of its data",
        over_processes=max,
    ),
    Level(
        of="mongodb.replica_lag_seconds",
        name="optionchain_mongodb_replica_lag_seconds",
        description="How far the slowest member is behind, or since when one was not heard of",
        over_processes=max,
    ),
    Level(
        of="mongodb.standby_lag_seconds",
        name="optionchain_mongodb_standby_lag_seconds",
        description="The same of the hidden members alone: the copy in a second site",
        over_processes=max,
    ),
    Level(
        of="mongodb.oplog_seconds",
        name="optionchain_mongodb_oplog_seconds",
        description="How long a secondary may be away without losing its place in the oplog",
        over_processes=max,
    ),
)

BACKUPS: Sequence[Row] = (
    Level(
        of="backup.saved",
        name="optionchain_backup_saved_timestamp_seconds",
        description="Unix time as of which the latest backup in a place holds everything; 0: there never was one",
        labels=("place",),
        over_processes=max,
    ),
    Level(
        of="backup.verified",
        name="optionchain_backup_verified_timestamp_seconds",
        description="Unix time at which a backup in a place was last proven to come back; 0: never",
        labels=("place",),
        over_processes=max,
    ),
    Level(
        of="backup.bytes",
        name="optionchain_backup_bytes",
        description="What the latest backup in a place holds, before it was compressed",
        labels=("place",),
        over_processes=max,
    ),
)

PROCESSES: Sequence[Row] = (
    Level(
        of="process.memory_bytes",
        name="optionchain_process_memory_bytes",
        description="Resident memory of our processes",
        labels=(PROCESS,),
    ),
    Count(
        of="process.cpu_seconds",
        name="optionchain_process_cpu_seconds",
        description="Processor time of our processes",
        labels=(PROCESS,),
    ),
    Level(
        of="process.started",
        name="optionchain_process_start_time_seconds",
        description="Unix time at which the youngest process of a kind began",
        labels=(PROCESS,),
        over_processes=max,
    ),
    Level(
        of="process.seen",
        name="optionchain_process_seen_timestamp_seconds",
        description="Heartbeat: Unix time at which one of a kind was last heard of",
        labels=(PROCESS,),
        over_processes=max,
    ),
    Count(
        of="loop.held",
        name="optionchain_loop_holds",
        description="Times that the event loop of a process served nobody for long",
        labels=(PROCESS,),
    ),
    Count(
        of="loop.held_seconds",
        name="optionchain_loop_held_seconds",
        description="Seconds of those times",
        labels=(PROCESS,),
    ),
    Level(
        of="build.info",
        name="optionchain_build_info",
        description="1, with the versions that run",
        labels=("version", "python", "ray"),
        over_processes=max,
    ),
    Count(
        of="failed",
        name="optionchain_failures",
        description="Operations that failed by no fault of a caller: `warning` is an outage, `error` a bug",
        labels=(OPERATION, "severity"),
    ),
    Count(
        of="telemetry.failed",
        name="optionchain_telemetry_failures",
        description="What was to be told and was not: metrics handed over, spans exported, lines written",
        labels=("signal",),
        known=("metrics", "traces", "logs"),
    ),
)
