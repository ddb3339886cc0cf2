"""Control variates: measures whose means are known before any path is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optionchain import numerics
from optionchain.contracts.carried import drops_of
from optionchain.errors import InvalidInput
from optionchain.measures.path_block import Measure
from optionchain.measures.prices import terminal_price
from optionchain.models import Custom, Garch, GeometricBrownian, Heston, JumpDiffusion, Telegraph
from optionchain.parameters import SimulationParameters


@dataclass(frozen=True, slots=True)
class Control:
    """A measure whose mean is known, for each scenario; what is known of it corrects the others.

    Attributes:
        measure: What is observed on each path.
        mean: Its mean, from the scenario's parameters; raises `InvalidInput` where it is not known.
    """

    measure: Measure
    mean: Callable[[SimulationParameters], float]


_EXPONENTIAL_GROWTH = (Custom, Garch, GeometricBrownian, Heston, JumpDiffusion, Telegraph)


def expected_terminal_price(parameters: SimulationParameters) -> float:
    """``E S(T) = S0 exp(drift T)``, with T the model's time to the last step.

    Raises:
        InvalidInput: The market model has no such law.

    Source:
        design of the models: each of these has an exactly compensated drift, tested against it.
    """
    method = parameters.method
    if drops_of(parameters):
        raise InvalidInput("control", "the mean of the terminal price with dividends in cash is not known")
    if not isinstance(method, _EXPONENTIAL_GROWTH):
        raise InvalidInput(
            "control", f"the mean of the terminal price of {type(method).__name__} is not known"
        )
    years = method.dt * (parameters.total_steps - 1)
    return parameters.initial_price * numerics.exp(method.drift * years)


TERMINAL_PRICE = Control(terminal_price, expected_terminal_price)
