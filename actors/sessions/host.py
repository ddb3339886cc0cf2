"""The single writer of its sessions: takes what waits, applies it in memory, stores it at once, then answers.

There are no locks: one loop serves one batch after the other, and calls that arrive meanwhile form the next
batch. An idle host serves the first call at once. Nothing is answered before its checkpoint is stored.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from actors.calendars import Calendars
from actors.sessions.decider import Decider
from actors.sessions.mailbox import Mailbox
from actors.sessions.messages import Answer, Call
from actors.sessions.residents import ResidentSessions
from actors.sessions.simulation_cache import SimulationCache
from actors.sessions.snapshot_sharing import SnapshotSharing
from actors.sessions.turns import Turn, Waiting, others, settle, turns_of
from optionchain.context import HOUSEKEEPING, Context
from optionchain.errors import Conflict, Defect, OptionChainError, Overloaded, Unavailable
from optionchain.expirations.exchanges import CalendarMissing
from optionchain.observing import Observer, observed, tell_failure
from optionchain.patience import SWAP_ATTEMPTS
from optionchain.ports import Checkpoint, SessionStore


class SessionHost:
    """Holds sessions in memory and serves commands on them.

    Args:
        store: Where their checkpoints are.
        residents: The sessions in memory.
        cache: The paths and rendered snapshots.
        calendars: Provides those of exchanges.
        observer: Told what happens.
        max_waiting: Calls that may wait; further ones are refused at once.
        max_batch: Calls served in one round; one for several snapshots counts for as many.
        max_answer_contracts: Of several snapshots in one answer; then 400.
        clock: The present instant (UTC).
        sharing: Carries snapshots between `cache` and that of all; None where each actor prices its own.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        residents: ResidentSessions,
        cache: SimulationCache,
        calendars: Calendars,
        observer: Observer,
        max_waiting: int,
        max_batch: int,
        max_answer_contracts: int,
        clock: Callable[[], datetime],
        sharing: SnapshotSharing | None = None,
    ) -> None:
        self._sharing = sharing
        self._store = store
        self._residents = residents
        self._cache = cache
        self._decider = Decider(cache, observer, max_answer_contracts=max_answer_contracts)
        self._calendars = calendars
        self._observer = observer
        self._max_waiting = max_waiting
        self._clock = clock
        self._mailbox = Mailbox(max_batch)
        self._loop: asyncio.Task[None] | None = None
        self._postponed: set[asyncio.Task[None]] = set()

    async def execute(self, calls: Sequence[Call]) -> list[Answer]:
        """Serve the calls, those of one session in their order.

        Returns:
            One answer a call; errors are values. `Overloaded` for calls that found no room to wait.
        """
        answers = [self.submit(call) for call in calls]
        return [await answer for answer in answers]

    def submit(self, call: Call) -> asyncio.Future[Answer]:
        """Take a call, to be served with what else has come by then.

        Returns:
            Its answer to be; errors are values. `Overloaded` where it found no room to wait.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if len(self._mailbox) >= self._max_waiting:
            answer.set_result(Overloaded("the session actor"))
            return answer
        self._enter([Waiting(call, answer)])
        return answer

    @property
    def resident_count(self) -> int:
        return len(self._residents)

    async def evict(self) -> int:
        """Forget idle sessions; returns how many."""
        evicted = self._residents.evict(self._clock().timestamp())
        for session_id in evicted:
            self._cache.forget(session_id)
        self._count("session.evicted", len(evicted))
        self._tell_sizes()
        return len(evicted)

    def forget_written_before(self, instant: datetime) -> None:
        """Forget the sessions whose time to live is over."""
        for session_id in self._residents.written_before(instant):
            self._forget(session_id)
        self._tell_sizes()

    def _tell_sizes(self) -> None:
        self._observer.counted("session.resident", len(self._residents))
        self._observer.counted("session.paths", self._cache.path_count)
        self._observer.counted("session.snapshots", self._cache.snapshot_count)

    def _enter(self, calls: Iterable[Waiting]) -> None:
        self._mailbox.extend(calls)
        if self._mailbox and (self._loop is None or self._loop.done()):
            # In a context of its own: it serves others than the caller who happens to wake it.
            self._loop = asyncio.create_task(self._serve_mailbox(), context=contextvars.Context())

    async def _serve_mailbox(self) -> None:
        while self._mailbox:
            batch = self._mailbox.next_batch()
            waited = time.perf_counter() - batch[0].since
            self._observer.counted("session.mailbox", len(self._mailbox))
            try:
                # It is a part of the first call that somebody follows.
                contexts = sorted(
                    (one.call.context for one in batch), key=lambda context: not context.is_followed
                )
                with observed(
                    self._observer, "session.batch", contexts[0], calls=len(batch), waited=waited
                ) as operation:
                    operation.served = contexts[1:]
                    await self._serve(batch)
            except Exception:
                await self._serve_apart([waiting for waiting in batch if not waiting.answer.done()])

    async def _serve_apart(self, batch: Sequence[Waiting]) -> None:
        """Serve each session by itself: a record that nobody can read fails its own session alone."""
        for turn in turns_of(batch).values():
            try:
                await self._serve(turn.calls)
            except CalendarMissing as missing:
                task = asyncio.create_task(self._postpone(turn.calls, missing.name))
                self._postponed.add(task)
                task.add_done_callback(self._postponed.discard)
            except Exception as error:
                context = turn.calls[0].call.context
                tell_failure(self._observer, "session.serve", error, context, session_id=turn.session_id)
                self._forget(turn.session_id)
                for waiting in turn.calls:
                    settle(waiting, Defect())

    async def _postpone(self, calls: Sequence[Waiting], calendar: str) -> None:
        """Serve calls when their calendar is there; others are served meanwhile."""
        try:
            await self._calendars.provide(calendar)
        except OptionChainError as error:
            for waiting in calls:
                settle(waiting, error)
        else:
            self._enter(calls)

    async def _serve(self, batch: Sequence[Waiting]) -> None:
        turns = list(turns_of(batch).values())
        try:
            for _ in range(SWAP_ATTEMPTS):
                turns_left = await self._attempt(turns)
                if not turns_left:
                    break
                turns = turns_left
            else:
                self._give_up(turns)
        except CalendarMissing:
            raise
        except Unavailable as error:
            # What was sent may or may not be stored: only the store knows.
            for turn in turns:
                self._forget(turn.session_id)
                for waiting in turn.calls:
                    settle(waiting, error)
            # Whoever waits behind would only wait as long again.
            for waiting in self._mailbox.emptied():
                settle(waiting, error)
        await self.evict()

    async def _attempt(self, turns: Sequence[Turn]) -> list[Turn]:
        """Load, apply, store and answer; returns the turns that lost against another writer.

        Raises:
            CalendarMissing: Of one of the sessions; nothing was applied.
        """
        await self._activate(turns)
        for turn in turns:
            turn.require_calendars()
        now = self._clock()
        wanted = self._decider.decide(turns, now)
        if wanted and self._sharing is not None:
            await self._sharing.fetch(wanted)
        await self._decider.answer(turns, now)
        lost = await self._outdated([turn for turn in turns if turn.is_unproven])
        current = others(turns, lost)
        refused = await self._store_changes([turn for turn in current if turn.is_changed])
        for turn in others(current, refused):
            self._conclude(turn, now)
        if self._sharing is not None:
            self._sharing.offer()
        return lost + refused

    async def _activate(self, turns: Sequence[Turn]) -> None:
        """Give every turn the session to start from: resident or loaded."""
        for turn in turns:
            turn.before = self._residents.get(turn.session_id)
            turn.is_resident = turn.before is not None
        to_load = [turn.session_id for turn in turns if not turn.is_resident and not turn.is_new]
        loaded = await self._store.get(to_load) if to_load else {}
        self._count("session.activated", len(loaded))
        for turn in turns:
            turn.before = turn.before or loaded.get(turn.session_id)
        forgotten = {turn.session_id: ids for turn in turns if (ids := turn.keyed_commands)}
        if forgotten:
            await self._recall(turns, forgotten)

    async def _recall(self, turns: Sequence[Turn], forgotten: Mapping[str, Sequence[str]]) -> None:
        """Remind sessions of keyed commands that they may have forgotten."""
        recalled = await self._store.recall(forgotten)
        for turn in turns:
            if turn.before is not None and turn.session_id in recalled:
                turn.before = replace(turn.before, recalled=recalled[turn.session_id])

    async def _outdated(self, turns: Sequence[Turn]) -> list[Turn]:
        """Those of the turns that began where another host had been already."""
        if not turns:
            return []
        stored = await self._store.versions([turn.session_id for turn in turns])
        outdated = [
            turn for turn in turns if turn.before and stored.get(turn.session_id) != turn.before.version
        ]
        for turn in outdated:
            self._forget(turn.session_id)
        return outdated

    async def _store_changes(self, turns: Sequence[Turn]) -> list[Turn]:
        deleted = [turn.before for turn in turns if turn.after is None and turn.before is not None]
        if deleted:
            await self._store.delete(deleted)
        checkpoints = {
            turn.session_id: Checkpoint(turn.after, turn.before) for turn in turns if turn.after is not None
        }
        context = turns[0].calls[0].call.context if turns else HOUSEKEEPING
        refusals = await self._save(list(checkpoints.values()), context) if checkpoints else []
        refused = {
            session_id
            for session_id, refusal in zip(checkpoints, refusals, strict=True)
            if refusal is not None
        }
        for session_id in refused:
            self._forget(session_id)
        self._count("session.conflicts", len(refused))
        lost = [turn for turn in turns if turn.session_id in refused]
        for turn in lost:
            turn.was_refused = True
        return lost

    async def _save(
        self, checkpoints: Sequence[Checkpoint], context: Context
    ) -> Sequence[OptionChainError | None]:
        with observed(self._observer, "session.commit", context, checkpoints=len(checkpoints)):
            return await self._store.save(checkpoints)

    def _conclude(self, turn: Turn, now: datetime) -> None:
        if turn.life is not None:
            event, call = turn.life
            self._observer.noted(event, call.context, session_id=turn.session_id, kind=call.kind.value)
        if turn.after is None:
            self._forget(turn.session_id)
        else:
            self._residents.put(turn.after.without_recalled(), now.timestamp())
        for waiting, answer in zip(turn.calls, turn.answers, strict=True):
            settle(waiting, answer)

    def _give_up(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            for waiting in turn.calls:
                settle(waiting, Conflict("session", turn.session_id))

    def _count(self, quantity: str, amount: int) -> None:
        if amount:
            self._observer.counted(quantity, amount)

    def _forget(self, session_id: str) -> None:
        self._residents.drop(session_id)
        self._cache.forget(session_id)
