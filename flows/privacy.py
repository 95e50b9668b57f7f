"""Nothing phones home: telemetry of the libraries we run is off unless the user turned it on.

Prefect and datasets look when they are imported; `flows` itself calls `switch_off_telemetry` first.
"""

import os

OFF = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def switch_off_telemetry() -> None:
    """Set the switches that the environment does not set already."""
    for name, value in OFF.items():
        os.environ.setdefault(name, value)
