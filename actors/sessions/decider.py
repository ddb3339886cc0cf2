"""Applies the commands of a batch in memory and renders their answers; storing them is the host's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from actors.sessions.messages import Answer, Call
from actors.sessions.simulation_cache import SimulationCache, SnapshotKey
from actors.sessions.turns import Decision, Turn
from optionchain.errors import Defect, InvalidInput, NotFound, OptionChainError, Unavailable
from optionchain.observing import Observer, observed, tell_failure
from optionchain.session import (
    Create,
    Reinitialize,
    Session,
    ShowDeletion,
    ShowSession,
    ShowSnapshots,
    handle,
)
from optionchain.wire.sessions import deletion_json, session_json, snapshots_json


class Decider:
    """Decides what becomes of sessions, and touches none.

    Args:
        cache: The paths and rendered snapshots.
        observer: Told which snapshots are shown.
        max_answer_contracts: Of several snapshots in one answer; one snapshot has a limit of its own.
    """

    def __init__(self, cache: SimulationCache, observer: Observer, *, max_answer_contracts: int) -> None:
        self._cache = cache
        self._observer = observer
        self._max_answer_contracts = max_answer_contracts

    def decide(self, turns: Sequence[Turn], now: datetime) -> list[SnapshotKey]:
        """Apply the calls of each turn to its session.

        Returns:
            The snapshots to show that are worth asking others for.
        """
        for turn in turns:
            turn.decisions = []
            self._decide(turn, now)
        return self._cache.asked_for([(decision.session, reply) for decision, reply in _unrendered(turns)])

    async def answer(self, turns: Sequence[Turn], now: datetime) -> None:
        """Give each decision its answer. The snapshots of all turns are priced together."""
        unrendered = turns
        while unrendered:
            await self._render(unrendered)
            unrendered = [turn for turn in unrendered if self._refused(turn, now)]
        for turn in turns:
            turn.answers = [_answer(decision) for decision in turn.decisions]
        self._count([decision for turn in turns for decision in turn.decisions])

    def _decide(self, turn: Turn, now: datetime) -> None:
        """Apply the calls that have no decision yet."""
        for waiting in turn.calls[len(turn.decisions) :]:
            turn.decisions.append(self._decision(turn.after, waiting.call, now))

    def _decision(self, session: Session | None, call: Call, now: datetime) -> Decision:
        try:
            return self._applied(session, call, now)
        except OptionChainError as error:
            return Decision(session, session, error)
        except Exception as error:
            command = type(call.command).__name__
            tell_failure(self._observer, "session.command", error, call.context, command=command)
            return Decision(session, session, Defect())

    def _applied(self, session: Session | None, call: Call, now: datetime) -> Decision:
        if now.timestamp() > call.context.expires_at:
            # Nobody waits any more: the caller has gone on, and may have asked again elsewhere.
            raise Unavailable("the session actor")
        command = call.command
        before = command.session if isinstance(command, Create) and session is None else session
        if before is None or before.owner != call.owner or before.kind is not call.kind:
            raise NotFound("session", call.session_id)
        outcome = handle(before, command, now)
        if isinstance(command, Create | Reinitialize) and outcome.session is not None:
            # A path that overflows is the caller's mistake now, not a failed step later.
            self._cache.simulation(outcome.session)
        if isinstance(outcome.reply, ShowSnapshots):
            self._check_size(before, outcome.reply)
        return Decision(session, outcome.session, outcome.reply)

    def _check_size(self, session: Session, reply: ShowSnapshots) -> None:
        each = session.parameters.most_contracts
        most = max(self._max_answer_contracts // each, 1)
        if reply.count > most:
            reason = f"asks for {reply.count} snapshots of up to {each} contracts: at most {most} fit into one answer"
            raise InvalidInput("count", reason)

    async def _render(self, turns: Sequence[Turn]) -> None:
        shows = _unrendered(turns)
        if not shows:
            return
        with observed(self._observer, "session.render", replies=len(shows)):
            rendered = await self._cache.snapshots([(decision.session, reply) for decision, reply in shows])
        for (decision, _), result in zip(shows, rendered, strict=True):
            if isinstance(result, OptionChainError):
                decision.reply = result
            else:
                decision.rendered = result

    def _refused(self, turn: Turn, now: datetime) -> bool:
        """Whether a call changed the session and then could not be answered: the calls behind it are decided again."""
        for position, decision in enumerate(turn.decisions):
            if isinstance(decision.reply, OptionChainError) and decision.after is not decision.before:
                decision.after = decision.before
                del turn.decisions[position + 1 :]
                self._decide(turn, now)
                return True
        return False

    def _count(self, decisions: Sequence[Decision]) -> None:
        steps: Counter[str] = Counter()
        cached = 0
        for decision in decisions:
            if isinstance(decision.reply, ShowSnapshots):
                if decision.reply.is_served:
                    steps[type(decision.session.parameters.method).__name__] += decision.reply.count
                if decision.rendered:
                    cached += decision.rendered.cached
        for model, count in steps.items():
            self._observer.counted("session.steps", count, model=model)
        if cached:
            self._observer.counted("session.snapshots_cached", cached)


def _unrendered(turns: Sequence[Turn]) -> list[tuple[Decision, ShowSnapshots]]:
    """The decisions whose snapshots are not rendered yet."""
    return [
        (decision, decision.reply)
        for turn in turns
        for decision in turn.decisions
        if isinstance(decision.reply, ShowSnapshots) and decision.rendered is None
    ]


def _answer(decision: Decision) -> Answer:
    match decision.reply:
        case OptionChainError() as error:
            return error
        case ShowSession():
            return session_json(decision.session)
        case ShowDeletion():
            return deletion_json(decision.session)
        case ShowSnapshots() as reply:
            if decision.rendered is None:
                raise LookupError("a reply was not rendered")
            return snapshots_json(decision.session, reply, decision.rendered.bodies)
    assert_never(decision.reply)
