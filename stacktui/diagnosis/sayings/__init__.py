"""The sayings of az and of other clients: tables of words, and the faults they can mean."""

from __future__ import annotations

from stacktui.diagnosis.sayings.arm import ARM
from stacktui.diagnosis.sayings.az import AZ
from stacktui.diagnosis.sayings.model import Saying
from stacktui.diagnosis.sayings.reach import REACH
from stacktui.diagnosis.sayings.sign_in import SIGN_IN
from stacktui.diagnosis.sayings.tls import TLS

SAYINGS: tuple[Saying, ...] = (*REACH, *TLS, *AZ, *SIGN_IN, *ARM)

__all__ = ["SAYINGS", "Saying"]
