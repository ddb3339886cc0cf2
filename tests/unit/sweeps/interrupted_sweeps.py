"""Sweeps that are stopped half-way, and go on."""

from __future__ import annotations

from optionchain.sweeps import InProcess, Silent


class StopAfter(Silent):
    """Presses Ctrl-C after some tasks."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.state = None

    def advanced(self, progress):
        self.tasks -= 1
        if self.tasks == 0:
            raise KeyboardInterrupt

    def ended(self, progress, state):
        self.progress, self.state = progress, state


class Watching(Silent):
    def started(self, sweep, progress):
        self.resumed = progress.resumed_blocks

    def ended(self, progress, state):
        self.progress, self.state = progress, state


def interrupted(one, output, tasks=3):
    observer = StopAfter(tasks)
    result = one.run(engine=InProcess(seconds_per_task=0.0), output=output, observer=observer)
    assert observer.state == result.state == "interrupted"
    return result


def resumed(one, output):
    observer = Watching()
    result = one.run(engine=InProcess(), output=output, observer=observer)
    assert result.state == "completed"
    return result, observer
