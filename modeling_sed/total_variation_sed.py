"""Exact total variation denoising of a signal in one dimension, without iterations.

Condat 2013, "A Direct Algorithm for 1-D Total Variation Denoising", IEEE Signal Processing Letters 20(11), algorithm on
p. 3, with its variable names. The result is constant in stretches: small bumps vanish, high edges stay where they are.
"""

from __future__ import annotations

import numpy as np


def denoise_total_variation(signal: np.ndarray, strength: float) -> np.ndarray:
    """The minimiser x of ``sum((x - signal)**2) / 2 + strength * sum(abs(diff(x)))``.

    Linear in the signal's length in practice. Plain floats: numpy is slower on one number at a time.

    Args:
        signal: ``(frames,)``, at least one.
        strength: at least 0; a bump of height h is gone when it lasts less than ``2 * strength / h`` frames.

    Returns:
        ``(frames,)``.
    """
    y, smooth = signal.tolist(), [0.0] * len(signal)
    last = len(y) - 1
    # a stretch begins at k0; its value lies between vmin and vmax, and umin, umax say how taut the dual is at either;
    # it would end after kmin (with a step down) or kmax (a step up)
    k = k0 = kmin = kmax = 0
    vmin, vmax, umin, umax = y[0] - strength, y[0] + strength, strength, -strength
    while True:
        while k == last:
            if umin < 0:
                smooth[k0 : kmin + 1] = [vmin] * (kmin + 1 - k0)
                k = k0 = kmin = kmin + 1
                vmin, umin = y[k], strength
                umax = vmin + strength - vmax
            elif umax > 0:
                smooth[k0 : kmax + 1] = [vmax] * (kmax + 1 - k0)
                k = k0 = kmax = kmax + 1
                vmax, umax = y[k], -strength
                umin = vmax - strength - vmin
            else:
                smooth[k0:] = [vmin + umin / (k - k0 + 1)] * (len(y) - k0)
                return np.array(smooth)
        following = y[k + 1]
        umin += following - vmin
        umax += following - vmax
        if umin < -strength:
            smooth[k0 : kmin + 1] = [vmin] * (kmin + 1 - k0)
            k = k0 = kmin = kmax = kmin + 1
            vmin, vmax, umin, umax = y[k], y[k] + 2 * strength, strength, -strength
        elif umax > strength:
            smooth[k0 : kmax + 1] = [vmax] * (kmax + 1 - k0)
            k = k0 = kmin = kmax = kmax + 1
            vmin, vmax, umin, umax = y[k] - 2 * strength, y[k], strength, -strength
        else:
            k += 1
            if umin >= strength:
                kmin = k
                vmin += (umin - strength) / (k - k0 + 1)
                umin = strength
            if umax <= -strength:
                kmax = k
                vmax += (umax + strength) / (k - k0 + 1)
                umax = -strength
