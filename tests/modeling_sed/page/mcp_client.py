"""A language model's program, as far as the page's tool is concerned."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

mcp = pytest.importorskip("mcp")
streamable_http = pytest.importorskip("mcp.client.streamable_http")


def as_data(recording: Path) -> str:
    """A WAV file within the request."""
    return "data:audio/wav;base64," + base64.b64encode(recording.read_bytes()).decode()


def call_tool(address: str, *recordings: str) -> tuple[list[str], list[tuple[bool, str]]]:
    """Lists a page's tools, and calls the only one with each recording.

    Args:
        address: of the page.
        recordings: addresses, or `as_data`.

    Returns:
        The tools' names; and for each call whether it was refused, and the answer.
    """

    async def talk() -> tuple[list[str], list[tuple[bool, str]]]:
        async with (
            streamable_http.streamablehttp_client(f"{address}gradio_api/mcp/") as (reader, writer, _),
            mcp.ClientSession(reader, writer) as session,
        ):
            await session.initialize()
            (tool,) = (await session.list_tools()).tools
            answers = [await session.call_tool(tool.name, {"recording": recording}) for recording in recordings]
            return [tool.name], [(bool(answer.isError), answer.content[0].text) for answer in answers]

    return asyncio.run(talk())
