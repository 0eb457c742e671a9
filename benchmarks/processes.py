"""CPU time of processes, as Linux counts it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def cpu_seconds(pids: Iterable[int]) -> Mapping[int, float]:
    """The CPU time that each of these processes has taken, with all its threads; without those that ended."""
    found = ((pid, *_fields(pid)) for pid in pids)
    return {pid: seconds for pid, parent, seconds in found if parent}


def cpu_since(before: Mapping[int, float]) -> float:
    """The CPU time that these processes have taken since; what those took that have ended is not known."""
    now = cpu_seconds(before)
    return sum(now[pid] - before[pid] for pid in now)


def with_children(pid: int) -> set[int]:
    """A process and its present children."""
    children = {int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()}
    return {pid} | {child for child in children if _fields(child)[0] == pid}


def _fields(pid: int) -> tuple[int, float]:
    """The parent's id and the CPU seconds of a process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0.0
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS
