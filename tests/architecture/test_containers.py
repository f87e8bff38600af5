"""compose.yaml and the image: each container has its own login and secrets, and no right that it does not need."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("migrate", "api", "projector")
OWNERS_PASSWORD = "POSTGRES_PASSWORD"


def environment(service: str) -> dict[str, str]:
    return dict(COMPOSE["services"][service]["environment"])


def used_by(service: str) -> str:
    return str(environment(service))


@pytest.mark.parametrize("service", ["api", "projector"])
def test_no_serving_container_has_the_owner_s_login_nor_what_passwords_follow_from(service: str) -> None:
    assert OWNERS_PASSWORD not in used_by(service)
    assert "GATEWAYZ_DERIVATION_SECRET" not in used_by(service)
    assert OWNERS_PASSWORD in used_by("migrate")


def test_a_provider_s_key_is_the_api_s_alone() -> None:
    assert "OPENAI_API_KEY" in used_by("api")
    for service in ("migrate", "projector", "postgres"):
        assert "_API_KEY" not in used_by(service)


def test_the_projector_opens_nothing_that_is_sealed() -> None:
    assert environment("projector").keys() == {"DATABASE_URL", "GATEWAYZ_WRITER_URL"}


@pytest.mark.parametrize("service", OURS)
def test_a_container_may_do_no_more_than_it_needs(service: str) -> None:
    made: dict[str, Any] = COMPOSE["services"][service]
    assert made["read_only"] is True
    assert made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"]
    assert made["mem_limit"] and made["pids_limit"]


def test_what_is_published_is_published_on_this_machine() -> None:
    published = [port for made in COMPOSE["services"].values() for port in made.get("ports", ())]
    assert published and all(port.startswith("127.0.0.1:") for port in published)


def test_images_are_named_exactly_and_run_as_nobody_of_note() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    (image,) = [line.split("=", 1)[1] for line in dockerfile.splitlines() if line.startswith("ARG PYTHON_IMAGE=")]
    for name in (image, COMPOSE["services"]["postgres"]["image"]):
        assert "@sha256:" in name or name.split(":")[1].split("-")[0].count(".") >= 1, name
    assert "\nUSER 10001:10001\n" in dockerfile
