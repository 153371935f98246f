"""Fixtures of the pipeline's tests."""

from tests.pipelines import start  # noqa: F401 - fixtures
from tests.sites import hands, ok_fixture, serve  # noqa: F401 - fixtures
