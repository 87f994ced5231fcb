"""Scores as JSON has them."""

from __future__ import annotations

import math
from typing import Any


def without_nan(value: Any) -> Any:
    """The same mappings and lists with None, JSON's null, for NaN, which JSON has not: rates of nothing."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
