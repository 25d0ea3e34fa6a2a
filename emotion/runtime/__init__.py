"""Who does the work and where files lie: cores or a Dask cluster, this disk or storage behind an address.

Begin with `cluster.workers` and `storage.Folder`. Nothing here knows of faces.
"""
