"""dask-jobqueue as both programs beside this one start it."""

from dask_jobqueue import SLURMCluster


def dask_cluster(partition, directory):
    return SLURMCluster(
        queue=partition,
        cores=1,
        processes=1,
        memory="300MB",
        walltime="00:10:00",
        interface="lo",
        local_directory=directory,
        log_directory=directory,
        scheduler_options={"dashboard_address": None},
    )
