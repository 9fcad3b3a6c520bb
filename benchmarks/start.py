"""From the start of the process to the tool list, and to the first real answer, beside the SDKs' hello worlds."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure, median
from benchmarks.stdio import CERVER, Server, node_hello, python_hello, scratch

__all__ = ["measure"]

_ROUNDS = 9


def measure() -> list[Figure]:
    """Start each in turn, round after round, with warm bytecode; medians."""
    with scratch() as folder:
        hello, node = python_hello(folder), node_hello()
        lists: dict[str, list[float]] = {"cerver": [], "python": [], "node": [], "pass": []}
        firsts: dict[str, list[float]] = {"cerver": [], "python": []}
        for turn in range(_ROUNDS + 1):
            timed = [("cerver", _start(CERVER, folder, "cerver_session_list", {}))]
            timed.append(("python", _start(hello, folder, "hello", {"name": "you"})))
            if not isinstance(node, str):
                timed.append(("node", _start(node, folder, "hello", {"name": "you"})))
            timed.append(("pass", (_bare(), 0.0)))
            if turn == 0:
                continue  # warms the bytecode and makes the database
            for name, (listed, first) in timed:
                lists[name].append(listed)
                firsts.setdefault(name, []).append(first)
    ours, first = median(lists["cerver"]), median(firsts["cerver"])
    start = "start to tools/list"
    by_node = (
        Figure(start, ours, "ms", note=node)
        if isinstance(node, str)
        else Figure(start, ours, "ms", median(lists["node"]), "Node SDK hello world", 0.5)
    )
    return [
        Figure(start, ours, "ms", median(lists["python"]), "Python SDK hello world", 0.1),
        by_node,
        Figure(start, ours, "ms", median(lists["pass"]), "python -c pass", 4),
        Figure("start to first real call", first, "ms", median(firsts["python"]), "Python SDK hello world", 1),
    ]


def _start(command: Sequence[str], home: Path, tool: str, arguments: dict[str, str]) -> tuple[float, float]:
    server = Server(command, home)
    listed = server.shake_hands()
    server.call(tool, arguments)
    first = server.elapsed_ms()
    server.leave()
    return listed, first


def _bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.perf_counter() - started) * 1000
