"""The Python part of the tests; `tests/run` starts it in the virtual environment.

The harness on itself, for each good map `logmap generate` and every check of the tree, generated maps, attacks, the README.
Jobs run beside each other, each worker with a mock AWS of its own; what a job prints is shown when it is done.
"""
import argparse
import multiprocessing
import os
import queue
import sys
from pathlib import Path

from . import tier
from .jobs import jobs, shard, work
from .report import Report


def main():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--logmap", type=Path, required=True)
    parser.add_argument("--features", default="", help="that the program has beside the usual ones")
    parser.add_argument("--counts", required=True)
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 4))
    parser.add_argument("--exhaustive", action="store_true")
    parser.add_argument("--shard", type=lambda text: tuple(map(int, text.split("/"))), default=(1, 1))
    args = parser.parse_args()
    args.tier, seconds = tier.of(args.exhaustive), {}
    print(args.tier.says(), flush=True)
    total, context = Report(), multiprocessing.get_context("spawn")
    names, results = context.Queue(), context.Queue()
    for name in [*shard(list(jobs(args.tier)), args.shard), *[None] * args.workers]:
        names.put(name)
    workers = [context.Process(target=work, args=(args, names, results)) for _ in range(args.workers)]
    for worker in workers:
        worker.start()
    busy = len(workers)
    while busy:
        try:
            result = results.get(timeout=5)
        except queue.Empty:
            if any(worker.is_alive() for worker in workers):
                continue
            break  # the exit codes say what happened
        if result is None:
            busy -= 1
            continue
        print(result[0], end="", flush=True)
        total.passed, total.failed, total.skipped = total.passed + result[1], total.failed + result[2], total.skipped + result[3]
        seconds[result[4]] = result[5]
    for worker in workers:
        worker.join()
        if worker.exitcode:
            total.failed += 1
            print(f"FAIL    a worker of the harness ended with {worker.exitcode}")
    print(f"{sum(seconds.values()):.0f} seconds of {len(workers)} workers:")
    for name, took in sorted(seconds.items(), key=lambda one: -one[1]):
        if took >= 0.5:
            print(f"{took:7.0f}  {name}")
    total.save(args.counts)
    return total.failed > 0


if __name__ == "__main__":
    sys.exit(main())
