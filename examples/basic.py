"""Publish a few values, change them, look at them.

Run me, and slurpstats in another terminal while I wait.
"""

from __future__ import annotations

import os

import mmstats


class MyStats(mmstats.BaseMmStats):
    """Plain numbers, a counter, a flag, and texts that never change.

    `BaseMmStats` publishes what stands here and nothing more; `MmStats` brings `sys.pid` and its like.
    """

    pid = mmstats.StaticUIntField(label="sys.pid", value=os.getpid)
    app = mmstats.StaticTextField(label="com.example.app.name", value="webapp")
    queries = mmstats.CounterField(label="com.example.app.queries", help="questions to the database")
    errors = mmstats.UIntField(label="com.example.app.errors")
    cache_hits = mmstats.UIntField(label="com.example.app.cache_hits")
    load = mmstats.DoubleField(label="com.example.app.load", help="how busy, from 0 to 1")
    degraded = mmstats.BoolField(label="com.example.app.degraded")


stats = MyStats(filename="mmstats-example-basic-{PID}.mmstats")


def work() -> None:
    """What an application does all day."""
    stats.queries.incr()
    stats.queries.incr(10)
    stats.errors += 1
    stats.cache_hits += 1000
    stats.load = 0.75
    stats.degraded = True


if __name__ == "__main__":
    work()
    print(f"{stats.queries.value} queries, {stats.cache_hits} hits; read me from outside:")
    print(f"  slurpstats {stats.filename}")
    input("Enter ends me. ")
    stats.remove()
