"""RUN/report.html: what a run read, dropped, kept and weighed, on one self-contained page."""

from flows.report.page import NAME, write_report

__all__ = ["NAME", "write_report"]
