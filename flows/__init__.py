"""Prefect flows, the `assay` command, its reports and its database.

Importing the package turns off the telemetry of the libraries that it runs, unless the user turned
it on: they look for their switches when they are imported, so later would be too late.
"""

from flows.privacy import switch_off_telemetry

switch_off_telemetry()
