"""Runs one command and writes what it took, as JSON: `launch.py OUT COMMAND …`.

A process of its own, and a small one: a child's peak memory is counted from that of the process that starts it, so that
a large parent would show in every figure.
"""

import json
import os
import subprocess
import sys
import time


def main(out: str, command: list[str]) -> None:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts the peak in KiB, macOS in bytes.
    memory = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    taken = {
        "exit": process.returncode,
        "seconds": seconds,
        "processor": usage.ru_utime + usage.ru_stime,
        "memory": memory,
    }
    with open(out, "w", encoding="utf-8") as file:  # noqa: PTH123  (pathlib would make this process larger)
        json.dump(taken, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
