from tests.api.conftest import stand  # noqa: F401 - a fixture
