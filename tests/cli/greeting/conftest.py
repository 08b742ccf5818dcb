from tests.workflows.conftest import yard  # noqa: F401 - a fixture
