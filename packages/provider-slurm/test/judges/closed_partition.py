"""A launcher that nobody here wrote submits jobs to a closed partition, looks at them once where it can, and cancels them.

`closed_partition.py DIRECTORY JOBS submitit|dask-jobqueue`
"""

import os
import sys
import time

import submitit
from launchers import dask_cluster

directory, count, launcher = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def with_submitit():
    executor = submitit.AutoExecutor(folder=os.path.join(directory, "submitit"))
    executor.update_parameters(timeout_min=10, slurm_partition="down", cpus_per_task=1, slurm_mem="100M")
    jobs = [executor.submit(abs, number) for number in range(count)]
    states = [job.state for job in jobs]
    for job in jobs:
        job.cancel()
    return len(states)


def with_dask():
    cluster = dask_cluster("down", directory)
    cluster.scale(jobs=count)
    # It knows its jobs' numbers when they are submitted, and asks the queue nothing.
    until(lambda: sum(1 for job in cluster.workers.values() if getattr(job, "job_id", None)) == count)
    cluster.scale(jobs=0)
    until(lambda: not cluster.workers)
    cluster.close()
    return count


def until(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit("dask-jobqueue took too long")
        time.sleep(0.2)


print(with_submitit() if launcher == "submitit" else with_dask())
