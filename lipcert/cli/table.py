"""The commands there are, in the order of help."""

from __future__ import annotations

from lipcert.cli.analyze import ANALYZE
from lipcert.cli.audit import AUDIT
from lipcert.cli.cap import CAP
from lipcert.cli.certify import CERTIFY
from lipcert.cli.check import CHECK
from lipcert.cli.compare import COMPARE
from lipcert.cli.config import CONFIG
from lipcert.cli.doctor import DOCTOR
from lipcert.cli.explain import EXPLAIN
from lipcert.cli.init import INIT
from lipcert.cli.inspect import INSPECT
from lipcert.cli.option import Group
from lipcert.cli.report import REPORT
from lipcert.cli.schema import SCHEMA

ROOT = Group(
    "lipcert",
    "Certified sensitivity and robustness reports for trained classifiers.",
    (ANALYZE, CERTIFY, CAP, CHECK, COMPARE, INIT, REPORT, INSPECT, EXPLAIN, SCHEMA, DOCTOR, CONFIG, AUDIT),
)
