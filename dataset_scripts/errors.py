"""The error for everything that the user of the datasets builder can mend."""

from __future__ import annotations


class InputError(ValueError):
    """An option, file, folder or corpus cannot be used; the message names it and says what is wrong with it."""
