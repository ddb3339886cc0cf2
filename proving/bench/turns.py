"""What a setting costs a step: instances that differ in nothing else take turns, so that all share a busy machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from cluster.instance.temporary import private_settings, temporary_instance
from cluster.settings import Settings
from proving.bench.http import stepped_sessions
from proving.bench.load_generator import Load, Measured, Target, generate
from proving.bench.processor_time import seconds_by_role, used_since

CONNECTIONS = 64
ROUNDS = 6
SECONDS = 4.0


@dataclass(slots=True)
class Turns:
    """What one instance has done in its turns.

    Attributes:
        measured: Of each turn.
        processor_seconds: Of all processes of the instance, in all turns.
    """

    measured: list[Measured] = field(default_factory=list)
    processor_seconds: float = 0.0

    @property
    def steps(self) -> int:
        return sum(turn.requests for turn in self.measured)

    @property
    def failed(self) -> int:
        return sum(turn.failed for turn in self.measured)

    @property
    def milliseconds_a_step(self) -> float:
        """Processor time."""
        return 1e3 * self.processor_seconds / self.steps


def take_turns(
    settings: Mapping[str, Mapping[str, Any]], tokens: Mapping[str, str] | None = None
) -> dict[str, Turns]:
    """Step sessions of some instances in turn.

    Args:
        settings: What is set of each instance, by its name and by group.
        tokens: With which instances are called; the others with their plain key.

    Raises:
        InstanceProblem: An instance does not start.
        httpx.HTTPError: One does not answer.
    """
    turns: defaultdict[str, Turns] = defaultdict(Turns)
    with ExitStack() as stack:
        states = {
            name: stack.enter_context(temporary_instance(Console(stderr=True), _with(groups)))[1]
            for name, groups in settings.items()
        }
        targets = {
            name: Target(state.base_url, (tokens or {}).get(name) or state.api_key or "")
            for name, state in states.items()
        }
        loads = {name: stack.enter_context(_stepping(target)) for name, target in targets.items()}
        for turn in range(ROUNDS):
            # Each is first as often as last: whatever grows within a round favours nobody.
            for name, state in list(states.items())[:: 1 if turn % 2 else -1]:
                before = seconds_by_role(state.marker)
                turns[name].measured.append(
                    generate(targets[name], loads[name], connections=CONNECTIONS, seconds=SECONDS)
                )
                used = used_since(before, seconds_by_role(state.marker))
                turns[name].processor_seconds += sum(used.values())
    return turns


def figures_of(turns: Mapping[str, Turns]) -> dict[str, float]:
    """``step_*_per_second`` and ``step_*_processor_milliseconds`` of each instance, and ``failed`` requests."""
    return (
        {f"step_{name}_per_second": each.steps / (ROUNDS * SECONDS) for name, each in turns.items()}
        | {f"step_{name}_processor_milliseconds": each.milliseconds_a_step for name, each in turns.items()}
        | {"failed": sum(each.failed for each in turns.values())}
    )


def _with(groups: Mapping[str, Any]) -> Callable[[Path], Settings]:
    return lambda folder: private_settings(folder).with_changes(groups)


@contextmanager
def _stepping(target: Target) -> Iterator[Load]:
    with stepped_sessions(target) as ids:
        yield Load("step", [("POST", f"/api/v1/chain/step?sessionid={one}", b"") for one in ids])
