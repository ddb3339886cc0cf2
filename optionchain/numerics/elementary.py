"""Exponential and logarithm by arithmetic alone: within one unit in the last place, and the same on every machine.

The argument is reduced exactly, and what remains is a polynomial: coefficients of a Chebyshev interpolation made with
40 digits (mpmath), whose own error is below a tenth of a unit in the last place.

Source:
    P. Tang, "Table-driven implementation of the exponential function in IEEE floating-point arithmetic", 1989, for
    the reduction in two parts; Sun Microsystems, fdlibm (``e_log.c``), for the sum that keeps the logarithm exact
    near one; W. Kahan's quotient for ``log1p`` (HP-15C Advanced Functions Handbook, 1982).
"""

from __future__ import annotations

import math

from optionchain.numerics.formula import Number, bits_of, float_of, formula, select

_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")  # 33 bits: a whole number of them is exact
_LN2_LOW = 1.9082149292705877e-10
_PER_LN2 = 1.4426950408889634
# Added to a float of at most 2^51 it rounds to a whole number, which then stands in the lowest bits.
_TO_WHOLE = 1.5 * 2.0**52
_MANTISSA_BITS = 52
_MANTISSA = (1 << _MANTISSA_BITS) - 1
_ONE = 0x3FF0000000000000
_ROOT_HALF = 0x3FE6A09E667F3BCD
# Where an exponential leaves the floats.
_HIGHEST, _LOWEST = 709.782712893384, -745.1332191019412
_LEAST_NORMAL = 2.0**-1022
_SUBNORMAL_BITS = 54
# An integer below 2^52 with these bits is a float: the integer plus 2^52.
_INTEGER_BITS = 0x4330000000000000


@formula
def _exp_polynomial(r: Number) -> Number:
    """``(exp(r) - 1 - r) / r²`` for ``|r| <= ln(2) / 2``, to 1.3e-17 of exp(r)."""
    p = 2.5105313423078524e-08
    p = p * r + 2.76202026313159e-07
    p = p * r + 2.7557255168123062e-06
    p = p * r + 2.4801521055364205e-05
    p = p * r + 0.00019841269875003973
    p = p * r + 0.0013888888917368964
    p = p * r + 0.008333333333326082
    p = p * r + 0.04166666666662382
    p = p * r + 0.1666666666666667
    return p * r + 0.5000000000000001


@formula
def exp_of_sum(high: Number, low: Number) -> Number:
    """``exp(high + low)`` for a `low` that is small against 1: as precise as their exact sum."""
    shifted = high * _PER_LN2 + _TO_WHOLE
    power = shifted - _TO_WHOLE
    r = ((high - power * _LN2_HIGH) - power * _LN2_LOW) + low
    mantissa = 1.0 + (r + r * r * _exp_polynomial(r))
    # Two factors, for the power of two alone may be beyond the floats.
    half = power * 0.5 + _TO_WHOLE
    rest = (power - (half - _TO_WHOLE)) + _TO_WHOLE
    first = float_of((bits_of(half) << _MANTISSA_BITS) + _ONE)
    second = float_of((bits_of(rest) << _MANTISSA_BITS) + _ONE)
    scaled = mantissa * first * second
    return select(high > _HIGHEST, math.inf, select(high < _LOWEST, 0.0, scaled))


@formula
def exp(x: Number) -> Number:
    """e to the power of x; within 1 ulp, 0 and infinity beyond the floats."""
    return exp_of_sum(x, 0.0)


@formula
def expm1(x: Number) -> Number:
    """``exp(x) - 1`` without cancellation near zero; within 3 ulp."""
    shifted = select(abs(x) < 1.0, x, 0.0) * _PER_LN2 + _TO_WHOLE
    power = shifted - _TO_WHOLE
    r = (x - power * _LN2_HIGH) - power * _LN2_LOW
    scale = float_of((bits_of(shifted) << _MANTISSA_BITS) + _ONE)
    near = scale * (r + r * r * _exp_polynomial(r)) + (scale - 1.0)
    return select(abs(x) < 1.0, near, exp(x) - 1.0)


@formula
def _log_polynomial(z: Number) -> Number:
    """``(ln((1 + s) / (1 - s)) / s - 2) / z`` for ``z = s²`` and mantissas in [sqrt(1/2), sqrt(2)], to 1e-17 of it."""
    p = 0.14618452072714802
    p = p * z + 0.15331554743280912
    p = p * z + 0.18182894320084278
    p = p * z + 0.2222221106056441
    p = p * z + 0.2857142862645262
    p = p * z + 0.3999999999989839
    return p * z + 0.666666666666667


@formula
def log(x: Number) -> Number:
    """The natural logarithm; within 1 ulp, minus infinity at 0, NaN below."""
    is_subnormal = x < _LEAST_NORMAL
    normal = select(is_subnormal, x * 2.0**_SUBNORMAL_BITS, x)
    shifted = bits_of(normal) + (_ONE - _ROOT_HALF)
    mantissa = float_of((shifted & _MANTISSA) + _ROOT_HALF)
    exponent = float_of(((shifted >> _MANTISSA_BITS) & 0x7FF) | _INTEGER_BITS) - (2.0**52 + 1023.0)
    exponent = exponent - select(is_subnormal, float(_SUBNORMAL_BITS), 0.0)
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    half_square = 0.5 * f * f
    series = s * (half_square + z * _log_polynomial(z)) + exponent * _LN2_LOW
    value = exponent * _LN2_HIGH - ((half_square - series) - f)
    return select(x > 0.0, select(x < math.inf, value, math.inf), select(x == 0.0, -math.inf, math.nan))


@formula
def log1p(x: Number) -> Number:
    """``ln(1 + x)`` without cancellation near zero; within 4 ulp, for finite x >= -1."""
    total = 1.0 + x
    return select(total == 1.0, x, log(total) * x / select(total == 1.0, 1.0, total - 1.0))
