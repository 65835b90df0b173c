"""Pools and queues of workers: what the tasks counted is what was counted, however the workers began."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import programs

CELERY = """
import os
import sys
import celery
import mmstats

class Model(mmstats.MmStats):
    done = mmstats.CounterField(label='done')
    weight = mmstats.UInt64Field(label='weight', keep=True)

stats = Model(group='app')
app = celery.Celery('tasks', broker='filesystem://', backend='file://results')
app.conf.broker_transport_options = {
    'data_folder_in': 'queue', 'data_folder_out': 'queue', 'control_folder': 'control',
    'polling_interval': 0.02,
}

@app.task
def count(number):
    stats.done.incr()
    stats.weight += number
    return os.getpid()

if __name__ == '__main__':
    sent = [count.delay(number) for number in range(int(sys.argv[1]))]
    print(len({one.get(timeout=60, interval=0.02) for one in sent}))
"""
WORKER = [
    *("-m", "celery", "--app", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"),
    *("--max-tasks-per-child", "8", "--without-gossip", "--without-mingle", "--without-heartbeat"),
]


@pytest.mark.main  # celery is installed for the main Python
def test_celery(twin, stats_dir, tmp_path):
    """Prefork workers, recycled every 8 tasks: tasks done are tasks counted."""
    (tmp_path / "tasks.py").write_text(CELERY)
    for name in ("queue", "control", "results"):
        (tmp_path / name).mkdir()
    here = {
        "env": programs.environment(twin, stats_dir, PYTHONWARNINGS="ignore"),
        "cwd": tmp_path,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }
    worker = subprocess.Popen([sys.executable, *WORKER], **here)
    try:
        asked = subprocess.run([sys.executable, "tasks.py", "60"], **here, timeout=120, check=False)
    finally:
        worker.terminate()
        said, _ = worker.communicate(timeout=30)
    assert asked.returncode == 0, f"{asked.stdout}\n{said}"
    assert int(asked.stdout) > 4
    found = programs.totals(twin, stats_dir)
    assert (found["done"], found["weight"]) == (60, sum(range(60)))


POOLS = """
import concurrent.futures, json, multiprocessing, os, sys
import mmstats

class Model(mmstats.MmStats):
    done = mmstats.CounterField(label='done')
    weight = mmstats.UInt64Field(label='weight', keep=True)

stats = Model(group='program')

def count(number):
    stats.done.incr()
    stats.weight += number
    return os.getpid()

def by_pool(context):
    # A worker that PyPy's pool forks later, from a thread of its own, may find an import lock held
    # that nobody will release: it hangs without mmstats, too.
    for_good = sys.implementation.name == 'pypy' and context.get_start_method() == 'fork'
    with context.Pool(3, maxtasksperchild=None if for_good else 20) as pool:
        return pool.map(count, range(100), chunksize=1)

def by_processes(context):
    with concurrent.futures.ProcessPoolExecutor(3, mp_context=context) as pool:
        return list(pool.map(count, range(100)))

def by_process(context):
    started = [context.Process(target=count, args=(number,)) for number in range(4)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    return [process.pid for process in started]

if __name__ == '__main__':
    pids = globals()[sys.argv[1]](multiprocessing.get_context(sys.argv[2]))
    count(0)
    print(json.dumps([os.getpid(), *pids]))
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize(
    "how",
    [
        "by_pool",
        pytest.param("by_processes", marks=pytest.mark.slow),
        pytest.param("by_process", marks=pytest.mark.slow),
    ],
)
def test_multiprocessing(twin, stats_dir, tmp_path, how, method):
    """Each way to start workers, and each that hands them work, counts the same."""
    script = tmp_path / "program.py"
    script.write_text(POOLS)
    done = subprocess.run(
        [sys.executable, str(script), how, method],
        env=programs.environment(twin, stats_dir),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parent, *pids = json.loads(done.stdout)
    found = programs.totals(twin, stats_dir)
    assert (found["done"], found["weight"]) == (len(pids) + 1, sum(range(len(pids))))
    assert parent not in pids
