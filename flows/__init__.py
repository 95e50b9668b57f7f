"""Prefect flows, deployments, the `assay` command and its reports. No data passes through here."""
