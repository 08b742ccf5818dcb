"""The one thing that pyproject.toml cannot say: a wheel has migrations/ inside the package, as `service/migrations`."""

from setuptools import find_packages, setup

MIGRATIONS = "service.migrations"

setup(
    packages=[*find_packages(include=["service*"]), MIGRATIONS, f"{MIGRATIONS}.versions"],
    package_dir={MIGRATIONS: "migrations"},
)
