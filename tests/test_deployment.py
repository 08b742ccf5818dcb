"""The files of a container deployment keep their promises. No container engine is needed to see it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_pydantic import ComposeSpecificationFactory, DictSpecStrategy
from pydantic import ValidationError

from service.cli.environment import COMPOSE_ONLY
from service.settings import setting_names

ROOT = Path(__file__).parents[1]
Document = dict[str, Any]


@pytest.fixture
def compose() -> Document:
    """The compose file, its anchors and merges resolved."""
    document: Document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


@pytest.fixture
def final_stage() -> list[str]:
    """The instructions of the Dockerfile's last stage, one a line, without comments."""
    return stages()[-1]


def stages() -> list[list[str]]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [stage.splitlines() for stage in re.split(r"^(?=FROM )", joined, flags=re.MULTILINE)[1:]]


def validate(document: Document) -> None:
    """Check against the Compose specification, which lets `x-` sections hold anything."""
    known = {name: section for name, section in document.items() if not name.startswith("x-")}
    ComposeSpecificationFactory(DictSpecStrategy())(known)


def test_compose_file_follows_the_specification(compose: Document) -> None:
    validate(compose)


@pytest.mark.parametrize(
    ("service", "wrong"),
    [
        ("api", {"imagee": "tocsin"}),
        ("api", {"depends_on": {"postgres": {"condition": "service_ready"}}}),
        ("postgres", {"healthcheck": {"tests": ["CMD", "true"]}}),
        ("worker", {"ports": {"host": 8400}}),
    ],
)
def test_a_broken_compose_file_is_noticed(compose: Document, service: str, wrong: Document) -> None:
    compose["services"][service].update(wrong)
    with pytest.raises(ValidationError):
        validate(compose)


def test_database_has_a_health_check_and_keeps_its_data_in_a_volume(compose: Document) -> None:
    postgres = compose["services"]["postgres"]
    assert "pg_isready" in postgres["healthcheck"]["test"]
    volume, _, target = postgres["volumes"][0].partition(":")
    assert volume in compose["volumes"]
    assert target == "/var/lib/postgresql", "since version 18 the image keeps its data one folder higher"


@pytest.mark.parametrize("service", ["api", "worker"])
def test_api_and_worker_wait_for_a_migrated_database(compose: Document, service: str) -> None:
    assert compose["services"][service]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


def test_migration_runs_once_after_the_database_is_healthy(compose: Document) -> None:
    migrate = compose["services"]["migrate"]
    assert (migrate["command"], migrate["restart"]) == (["migrate"], "no")
    assert migrate["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_any_number_of_workers_can_run(compose: Document) -> None:
    worker = compose["services"]["worker"]
    assert worker["command"] == ["worker"]
    assert not {"container_name", "ports"} & worker.keys()


NOT_IN_COMPOSE = {
    "TOCSIN_DATA_DIR",  # only the embedded Postgres uses it
    "TOCSIN_HOST",  # the image listens on every interface of its container
    "TOCSIN_PORT",  # TOCSIN_PUBLISH says where it is reached
    "TOCSIN_SIMULATOR_SEED",  # `tocsin up` alone serves the simulator
}


@pytest.mark.parametrize("service", ["migrate", "api", "worker"])
def test_compose_passes_every_setting_and_nothing_else(compose: Document, service: str) -> None:
    assert set(compose["services"][service]["environment"]) == setting_names() - NOT_IN_COMPOSE


def test_variables_of_the_compose_file_alone_are_no_strays() -> None:
    read = set(re.findall(r"\$\{(TOCSIN_\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert read - setting_names() == COMPOSE_ONLY


def test_images_are_named_by_digest(compose: Document) -> None:
    ours = {"tocsin"}
    images = {service["image"] for service in compose["services"].values()} - ours
    images |= {line.split("=")[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("ARG ")}
    assert len(images) == 3
    assert [image for image in images if not re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", f":{image}")] == []


def test_the_database_s_superuser_is_not_tocsin_s_role(compose: Document) -> None:
    postgres = compose["services"]["postgres"]
    assert set(postgres["environment"]) == {"POSTGRES_PASSWORD"}
    assert "./deploy/role.sql:/docker-entrypoint-initdb.d/role.sql:ro" in postgres["volumes"]
    assert "//tocsin:" in compose["services"]["api"]["environment"]["TOCSIN_DATABASE_URL"]


def test_mail_catcher_runs_in_development_only(compose: Document) -> None:
    optional = {name for name, service in compose["services"].items() if service.get("profiles") == ["dev"]}
    assert optional == {"mail"}


def test_only_loopback_is_published_unless_asked(compose: Document) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published == ["${TOCSIN_PUBLISH:-127.0.0.1:8400}:8400", "127.0.0.1:8025:8025"]


def test_secrets_come_from_the_environment_and_are_asked_for_by_name(compose: Document) -> None:
    tocsin, postgres = (
        compose["services"]["api"]["environment"],
        compose["services"]["postgres"]["environment"],
    )
    assert re.fullmatch(r"\$\{TOCSIN_SECRET_KEY:\?.+\}", tocsin["TOCSIN_SECRET_KEY"])
    assert re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?.+\}", postgres["POSTGRES_PASSWORD"])
    assert "${POSTGRES_PASSWORD:?" in tocsin["TOCSIN_DATABASE_URL"]
    assert {tocsin[name] for name in ("TOCSIN_ADMIN_TOKEN", "ANTHROPIC_ADMIN_KEY")} == {None}


@pytest.mark.parametrize("service", ["migrate", "api", "worker"])
def test_tocsin_containers_have_no_privileges(compose: Document, service: str) -> None:
    settings = compose["services"][service]
    assert (settings["read_only"], settings["cap_drop"]) == (True, ["ALL"])
    assert "privileged" not in settings


def test_image_installs_only_what_is_locked_by_hash() -> None:
    installs = [line for stage in stages() for line in stage if re.search(r"pip .*install ", line)]
    unlocked = [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line]
    assert installs
    assert not unlocked
    assert any("-r requirements.lock" in line for line in installs)


def test_final_image_has_no_build_tools(final_stage: list[str]) -> None:
    tools = re.compile(r"\b(apt-get|apt|gcc|make|pip|uv|setuptools|build-essential)\b")
    assert not [line for line in final_stage if tools.search(line)]


def test_final_image_runs_as_an_ordinary_user(final_stage: list[str]) -> None:
    users = [line.split()[1] for line in final_stage if line.startswith("USER ")]
    assert users == ["tocsin"]
    assert any(line.startswith("RUN useradd") and line.endswith(" tocsin") for line in final_stage)


def test_final_image_checks_its_own_health_and_starts_the_command(final_stage: list[str]) -> None:
    (health,) = [line for line in final_stage if line.startswith("HEALTHCHECK ")]
    program, option, script = json.loads(health.partition(" CMD ")[2])
    assert (program, option) == ("python", "-c")
    assert "/healthz" in script
    compile(script, "HEALTHCHECK", "exec")
    assert 'ENTRYPOINT ["tocsin"]' in final_stage


def test_image_copies_every_file_that_its_build_needs() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    named = {"pyproject.toml", "setup.py", "README.md", "LICENSE", "requirements.lock", "requirements-build.lock"}
    assert named | {"service", "migrations", "alembic.ini"} == allowed
