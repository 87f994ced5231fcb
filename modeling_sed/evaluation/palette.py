"""The colours of emotions, the same in every picture, told apart by people with any kind of colour vision.

Every two of them, white paper and `INK` differ by 12 of CIEDE2000 or more, to full colour vision as to protanopes,
deuteranopes and tritanopes (simulated after Machado et al. 2009); the paper's four emotions by 19 or more.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

EMOTION_COLORS = {"neutral": "#c4c4c4", "happy": "#ffcf45", "sad": "#535d94", "angry": "#db2d0d"}
# of other labels; the most different come first
FURTHER_COLORS = ("#8c8efd", "#038e82", "#a13555", "#4a1f52", "#b7edb5", "#70cef3", "#dd8c16", "#063e27")
INK = "#111111"  # of errors and of text


def label_colors(labels: Iterable[str], neutral_label: str = "neutral") -> dict[str, str]:
    """A colour for each label.

    Args:
        labels: in any order, also several times. What they get besides the four emotions' own colours depends on all
            of them: give those of the model for the same colours in each picture.
        neutral_label: the label that means no emotion.

    Returns:
        Colours ``#rrggbb``: neutral and the known emotions come first, the others in alphabetical order. They repeat
        from the thirteenth on.
    """
    known = {neutral_label: EMOTION_COLORS["neutral"], **EMOTION_COLORS}
    found = set(labels)
    further = dict(zip(sorted(found - known.keys()), cycle(FURTHER_COLORS)))
    return {**{label: color for label, color in known.items() if label in found}, **further}


def text_color(background: str) -> str:
    """Black or white, what is easier to read: ``#rrggbb``."""
    channels = (int(background[first : first + 2], 16) / 255 for first in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"  # the higher contrast of WCAG 2
