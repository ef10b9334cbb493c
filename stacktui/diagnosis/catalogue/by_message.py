"""The faults that no check can meet: they are found in the messages of other clients alone."""

from __future__ import annotations

from stacktui.diagnosis.catalogue.images import IMAGES
from stacktui.diagnosis.catalogue.providers import PROVIDER_NOT_REGISTERED
from stacktui.diagnosis.catalogue.unsuitable import TLS_UNSUITABLE

BY_MESSAGE = (*IMAGES, PROVIDER_NOT_REGISTERED, TLS_UNSUITABLE)
