"""The standard normal distribution: density, tails and quantiles, precise far into the tails.

A tail is the exponential of ``-x² / 2`` times a slowly varying factor. The square is taken in two parts, for the
rounding of a square of 64 alone would cost sixteen digits their last.

Source:
    M. Shepherd, J. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc(x)", 1981, for the form of the
    factor (with coefficients of our own); M. Wichura, "Algorithm AS 241: the percentage points of the normal
    distribution", 1988, for the quantiles.
"""

from __future__ import annotations

import math

import numpy as np

from optionchain.numerics.elementary import exp_of_sum, log, log1p
from optionchain.numerics.formula import Number, bits_of, float_of, formula, select

_UPPER_HALF = -(1 << 27)  # clears the lower half of a mantissa
_MAPPED_TO_ZERO = 6.0
_ENOUGH = 1000.0  # the tail is zero long before


@formula
def gauss(x: Number) -> Number:
    """``exp(-x² / 2)``, the density without its constant; within 2 ulp of the exact square's."""
    upper = float_of(bits_of(x) & _UPPER_HALF)
    return exp_of_sum(-0.5 * (upper * upper), -0.5 * ((x - upper) * (x + upper)))


@formula
def scaled_tail(a: Number) -> Number:
    """``N(-a) / exp(-a² / 2)`` for a >= 0: half of erfcx(a / sqrt(2)); within 5e-16 relative.

    The polynomial is in ``t = (a - 6) / (a + 6)``, for the product with ``a + 6``.
    """
    inverse = 1.0 / (a + _MAPPED_TO_ZERO)
    t = (a - _MAPPED_TO_ZERO) * inverse
    p = 7.038111375958135e-11
    p = p * t - 3.403350501945896e-10
    p = p * t - 7.828191936665439e-10
    p = p * t + 4.6664643925858215e-09
    p = p * t + 3.9361952129522875e-09
    p = p * t - 4.10380431659102e-08
    p = p * t + 5.175950303086143e-09
    p = p * t + 3.0702367893627545e-07
    p = p * t - 4.2792082812200157e-07
    p = p * t - 1.7969945618258692e-06
    p = p * t + 6.795697883730602e-06
    p = p * t + 1.0742840107015701e-06
    p = p * t - 6.475182912359327e-05
    p = p * t + 0.00018136081565295003
    p = p * t + 3.286999093017252e-05
    p = p * t - 0.002131605285716135
    p = p * t + 0.010029820643608887
    p = p * t - 0.03098531549895509
    p = p * t + 0.07517191566872725
    p = p * t - 0.15268023206503917
    p = p * t + 0.2679742458416649
    p = p * t - 0.4139035857755745
    p = p * t + 0.5689688918147835
    p = p * t - 0.7010090295908656
    return (p * t + 0.7773517718933622) * inverse


@formula
def ndtr(x: Number) -> Number:
    """The distribution function N(x); relative error within 1e-15 from -8 on, 1e-13 from -37.5 on."""
    a = select(abs(x) < _ENOUGH, abs(x), _ENOUGH)
    tail = scaled_tail(a) * gauss(x)
    return select(x > 0.0, 1.0 - tail, tail)


@formula
def log_ndtr(x: Number) -> Number:
    """``ln N(x)``, also where N(x) is too small for a float; relative error within 1e-15."""
    a = select(abs(x) < _ENOUGH, abs(x), _ENOUGH)
    scaled = scaled_tail(a)
    return select(x > 0.0, log1p(-scaled * gauss(x)), log(scaled) - 0.5 * x * x)


@formula
def ndtri_from_middle(q: Number) -> Number:
    """The quantile of ``1/2 + q`` for ``|q| <= 0.425``, precise however small q is."""
    r = 0.180625 - q * q
    n = 2.5090809287301226727e3
    n = n * r + 3.3430575583588128105e4
    n = n * r + 6.7265770927008700853e4
    n = n * r + 4.5921953931549871457e4
    n = n * r + 1.3731693765509461125e4
    n = n * r + 1.9715909503065514427e3
    n = n * r + 1.3314166789178437745e2
    n = n * r + 3.3871328727963666080e0
    d = 5.2264952788528545610e3
    d = d * r + 2.8729085735721942674e4
    d = d * r + 3.9307895800092710610e4
    d = d * r + 2.1213794301586595867e4
    d = d * r + 5.3941960214247511077e3
    d = d * r + 6.8718700749205790830e2
    d = d * r + 4.2313330701600911252e1
    d = d * r + 1.0
    return n * q / d


@formula
def _quantile_of_tail(r: Number) -> Number:
    """The quantile above the middle, of a tail p in [1e-12, 0.075], from ``r = sqrt(-ln p) - 1.6``."""
    n = 7.74545014278341407640e-4
    n = n * r + 2.27238449892691845833e-2
    n = n * r + 2.41780725177450611770e-1
    n = n * r + 1.27045825245236838258e0
    n = n * r + 3.64784832476320460504e0
    n = n * r + 5.76949722146069140550e0
    n = n * r + 4.63033784615654529590e0
    n = n * r + 1.42343711074968357734e0
    d = 1.05075007164441684324e-9
    d = d * r + 5.47593808499534494600e-4
    d = d * r + 1.51986665636164571966e-2
    d = d * r + 1.48103976427480074590e-1
    d = d * r + 6.89767334985100004550e-1
    d = d * r + 1.67638483018380384940e0
    d = d * r + 2.05319162663775882187e0
    d = d * r + 1.0
    return n / d


@formula
def _quantile_of_far_tail(r: Number) -> Number:
    """The same of smaller tails, from ``r = sqrt(-ln p) - 5``."""
    n = 2.01033439929228813265e-7
    n = n * r + 2.71155556874348757815e-5
    n = n * r + 1.24266094738807843860e-3
    n = n * r + 2.65321895265761230930e-2
    n = n * r + 2.96560571828504891230e-1
    n = n * r + 1.78482653991729133580e0
    n = n * r + 5.46378491116411436990e0
    n = n * r + 6.65790464350110377720e0
    d = 2.04426310338993978564e-15
    d = d * r + 1.42151175831644588870e-7
    d = d * r + 1.84631831751005468180e-5
    d = d * r + 7.86869131145613259100e-4
    d = d * r + 1.48753612908506148525e-2
    d = d * r + 1.36929880922735805310e-1
    d = d * r + 5.99832206555887937690e-1
    d = d * r + 1.0
    return n / d


@formula
def ndtri(p: Number) -> Number:
    """The quantile of p in [0, 1]: the x with N(x) = p; within 1e-15 relative, infinite at 0 and 1."""
    q = p - 0.5
    tail = select(q > 0.0, 1.0 - p, p)
    r = np.sqrt(-log(tail))
    far = select(r > 5.0, _quantile_of_far_tail(r - 5.0), _quantile_of_tail(r - 1.6))
    bounded = select(r == math.inf, math.inf, far)
    return select(abs(q) <= 0.425, ndtri_from_middle(q), select(q > 0.0, bounded, -bounded))


@formula
def ndtri_above_middle(q: Number) -> Number:
    """The quantile of ``1/2 + q`` for q in [0, 1/2), precise at both ends; within 1e-15 relative."""
    return select(q <= 0.425, ndtri_from_middle(q), -ndtri(0.5 - q))
