"""docs/metrics.md: every line of the example that is worked by hand is what the report says."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY
from tests.docs.test_code_blocks import blocks

PAGE = "docs/metrics.md"
LINES = re.findall(r"^\| (.*?) \| `(.*)` \| `(.*)` \|$", (REPOSITORY / PAGE).read_text(encoding="utf-8"), re.M)


@pytest.fixture(scope="module")
def report() -> dict:
    names: dict = {}
    (code,) = blocks(PAGE, "python")
    exec(code, names)
    return names["report"]


@pytest.mark.parametrize(("rate", "by_hand", "keys"), LINES, ids=[rate for rate, *_ in LINES])
def test_by_hand_is_what_the_report_says(rate: str, by_hand: str, keys: str, report: dict):
    found = eval(re.sub(r"(^|, )\[", r"\1report[", keys), {"report": report})
    assert found == pytest.approx(eval(by_hand))


def test_there_are_lines():
    assert len(LINES) > 15
