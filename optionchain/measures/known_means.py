"""What is known of a measure before any path is drawn: the means that control variates use."""

from __future__ import annotations

from optionchain import numerics
from optionchain.errors import InvalidInput
from optionchain.models import Custom, Garch, GeometricBrownian, Heston, JumpDiffusion, Telegraph
from optionchain.parameters import SimulationParameters

_EXPONENTIAL_GROWTH = (Custom, Garch, GeometricBrownian, Heston, JumpDiffusion, Telegraph)


def expected_terminal_price(parameters: SimulationParameters) -> float:
    """``E S(T) = S0 exp(drift T)``, with T the model's time to the last step.

    Raises:
        InvalidInput: The market model has no such law.

    Source:
        design of the models: each of these has an exactly compensated drift, tested against it.
    """
    method = parameters.method
    if not isinstance(method, _EXPONENTIAL_GROWTH):
        raise InvalidInput(
            "control", f"the mean of the terminal price of {type(method).__name__} is not known"
        )
    years = method.dt * (parameters.total_steps - 1)
    return parameters.initial_price * numerics.exp(method.drift * years)
