"""The manifests for Kubernetes are what its API takes, and keep their promises: no cluster is needed to see it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from lightkube.core.resource_registry import resource_registry

from service import __version__
from service.cli.app import cli
from service.settings import setting_names

FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes"
Manifest = dict[str, Any]


def documents(name: str) -> list[Manifest]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


KUSTOMIZATION = documents("kustomization.yaml")[0]
MANIFESTS = [one for name in KUSTOMIZATION["resources"] for one in documents(name)]
PODS = {one["metadata"]["name"]: one["spec"]["template"] for one in MANIFESTS if "template" in one.get("spec", {})}


def named(name: str, kind: str) -> Manifest:
    (found,) = [one for one in MANIFESTS if (one["metadata"]["name"], one["kind"]) == (name, kind)]
    return found


def validate(manifest: Manifest) -> None:
    """Raises what is wrong: a value of another type, a field that there is not, a kind that there is not."""
    kind = resource_registry.load(manifest["apiVersion"], manifest["kind"])
    read = msgspec.to_builtins(msgspec.convert(manifest, kind))
    assert read == manifest, "a field that Kubernetes does not know is left out"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_every_manifest_is_what_the_api_takes(manifest: Manifest) -> None:
    validate(manifest)


@pytest.mark.parametrize(
    "wrong",
    [{"replicas": "two"}, {"replica": 2}, {"template": {"spec": {"containers": [{"name": "api", "imag": "tocsin"}]}}}],
)
def test_a_broken_manifest_is_noticed(wrong: dict[str, Any]) -> None:
    broken = deepcopy(named("tocsin-api", "Deployment"))
    broken["spec"].update(wrong)
    with pytest.raises((msgspec.ValidationError, AssertionError)):
        validate(broken)


def test_no_file_is_left_out_and_the_image_is_of_this_release() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])
    (image,) = KUSTOMIZATION["images"]
    assert image["newTag"] == __version__
    assert {one["spec"]["containers"][0]["image"] for one in PODS.values()} == {image["name"]}


@pytest.mark.parametrize("name", PODS)
def test_no_pod_reads_kubernetes_own_variables_or_has_more_rights_than_it_needs(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["enableServiceLinks"] is False, "TOCSIN_PORT would be that of a Service"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [one["mountPath"] for one in container["volumeMounts"]] == ["/tmp"]


@pytest.mark.parametrize("name", PODS)
def test_commands_exist_and_secrets_are_references_alone(name: str) -> None:
    (container,) = PODS[name]["spec"]["containers"]
    commands = {one.name or one.callback.__name__ for one in cli.registered_commands if one.callback}
    assert set(container["args"]) <= commands
    assert container["envFrom"] == [{"configMapRef": {"name": "tocsin"}}, {"secretRef": {"name": "tocsin"}}]
    assert not [one for one in MANIFESTS if one["kind"] == "Secret"]


def test_every_setting_that_is_given_exists() -> None:
    assert set(named("tocsin", "ConfigMap")["data"]) <= setting_names()


def test_probes_ask_what_the_api_answers_without_a_token_at_the_port_it_listens_on() -> None:
    (container,) = PODS["tocsin-api"]["spec"]["containers"]
    probes = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probes == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert [one["containerPort"] for one in container["ports"]] == [8400]
    (port,) = named("tocsin", "Service")["spec"]["ports"]
    assert port["targetPort"] == container["ports"][0]["name"]


def test_each_selector_finds_the_pods_that_are_meant() -> None:
    for name in ("tocsin-api", "tocsin-worker"):
        labels = PODS[name]["metadata"]["labels"]
        assert named(name, "Deployment")["spec"]["selector"]["matchLabels"] == labels
        assert named(name, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert named("tocsin", "Service")["spec"]["selector"] == PODS["tocsin-api"]["metadata"]["labels"]
