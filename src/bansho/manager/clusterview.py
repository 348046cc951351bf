"""What the console knows of the cluster: it asks the socket that the resource agent has answered (docs/adr/0007)."""

import asyncio
from pathlib import Path
from typing import Literal

import msgspec

from bansho.logicalhost import clusterstate
from bansho.logicalhost.clusterstate import ClusterState

PATIENCE = 2.5
"""Seconds for an answer."""

Told = Literal["now", "old", "silent", "none"]


class ClusterView(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster, as far as the console was told."""

    told: Told
    """`now`; `old`: the state is the last one that was told; `silent`: there is one, and nothing was told; `none`: no
    cluster software runs the logical host on this node."""
    problem: str = ""
    """Why nothing newer was told."""
    state: ClusterState | None = None


class Cluster:
    """Asks, and remembers the last answer for when there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: ClusterState | None = None

    async def view(self) -> ClusterView:
        """The cluster now, or what was told last."""
        try:
            state = await self._ask()
        except FileNotFoundError:
            return ClusterView(told="none")
        except (OSError, msgspec.MsgspecError) as error:
            return self._without_news(_reason(error))
        if state.problem:
            return self._without_news(state.problem)
        self._last = state
        return ClusterView(told="now", state=state)

    def _without_news(self, problem: str) -> ClusterView:
        return ClusterView(told="old" if self._last else "silent", problem=problem, state=self._last)

    async def _ask(self) -> ClusterState:
        """Raises OSError, a time-out included, or msgspec.MsgspecError."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_unix_connection(self._path)
            try:
                return clusterstate.decode(await _all(reader))
            finally:
                writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while chunk := await reader.read(clusterstate.MAXIMUM_BYTES):
        content += chunk
        if len(content) > clusterstate.MAXIMUM_BYTES:
            break
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "the process that the resource agent leaves beside Manager has ended"
    return str(error)
