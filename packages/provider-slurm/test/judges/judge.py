"""Two launchers that nobody here wrote run their jobs on the cluster of SLURM_CONF.

`judge.py DIRECTORY JOBS`: prints one line of JSON when all their jobs run, waits for a line on stdin, and prints another one
with what came of the jobs.
"""

import json
import os
import sys
import time

import submitit
from dask.distributed import Client
from launchers import dask_cluster

directory, count = sys.argv[1], int(sys.argv[2])
gate = os.path.join(directory, "gate")
deadline = time.monotonic() + 180


def wait_for_gate(number):
    while not os.path.exists(gate):
        time.sleep(0.2)
    return number * number


def until(what, is_so):
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} took too long")
        time.sleep(0.5)


executor = submitit.AutoExecutor(folder=os.path.join(directory, "submitit"))
executor.update_parameters(timeout_min=10, slurm_partition="main", cpus_per_task=1, slurm_mem="100M")
jobs = [executor.submit(wait_for_gate, number) for number in range(count)]
dask = dask_cluster("main", directory)
dask.scale(jobs=1)
client = Client(dask)
client.wait_for_workers(1, timeout=180)
until("the start of submitit's jobs", lambda: all(job.state == "RUNNING" for job in jobs))
workers = [worker.job_id for worker in dask.workers.values()]
print(json.dumps({"submitit": [job.job_id for job in jobs], "dask": workers}), flush=True)

sys.stdin.readline()
open(gate, "w").close()
results = [job.result() for job in jobs]
total = client.submit(sum, results).result(timeout=60)
client.close()
dask.close()
print(json.dumps({"results": results, "total": total}), flush=True)
