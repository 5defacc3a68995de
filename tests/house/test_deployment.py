"""The files that an installation starts from: they parse, name what is there, give no right too many, hold no password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from configparser import RawConfigParser
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.settings import Settings, example, read_settings
from handlers import cli, doctor, metrics
from tests.house.sources import HERE

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = HERE / "config" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
#: What each unit must deny itself, whatever else it says.
HARDENED = {
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes", "RestrictNamespaces": "yes", "UMask": "0077", "LimitCORE": "0",
}  # fmt: skip
LOOPBACK = re.compile(r"127\.0\.0\.1:\d+:\d+$")
WEIGHT = re.compile(r"exposure level for \S+: ([\d.]+)")


def unit(file: Path) -> RawConfigParser:
    """Return a unit; of a key that stands twice the last one."""
    found = RawConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(file.read_text(encoding="utf-8"))
    return found


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def variables(file: Path) -> dict[str, str]:
    """Return the lines that are switched on, and those behind one # that only wait to be."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(re.findall(r"^#?(TIENDO_\w+)=(.*)$", "\n".join(lines), re.MULTILINE))


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_each_unit_starts_a_command_that_there_is_without_root_and_without_rights(file: Path) -> None:
    service = dict(unit(file)["Service"])
    words = service["ExecStart"].split()

    assert words[0] == "/opt/tiendo/.venv/bin/tiendo"
    assert any(words[1] in declared for declared in cli.PLACES.values())
    assert service.get("User") == "tiendo" or service.get("DynamicUser") == "yes"
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    assert service["RestartPreventExitStatus"].split() == [str(cli.REFUSED), str(cli.BROKEN)]


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_the_variables_of_each_unit_are_settings(file: Path) -> None:
    known = {f"TIENDO_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"\bTIENDO_[A-Z_]+", file.read_text(encoding="utf-8")))

    assert named <= known | {"TIENDO_OWNER_URL"}


def test_systemd_understands_the_units_and_finds_little_to_attack(tmp_path: Path) -> None:
    # given the units with a program and accounts that this machine has
    for file in UNITS:
        text = file.read_text(encoding="utf-8").replace("/opt/tiendo/.venv/bin/tiendo", "/bin/true")
        text = text.replace("User=tiendo", "User=daemon").replace("Group=tiendo", "Group=daemon")
        (tmp_path / file.name).write_text(text.replace("/opt/tiendo", "/usr"), encoding="utf-8")
    program = shutil.which("systemd-analyze")
    if program is None:
        # What it would find first is checked above and here without it: sections and keys.
        assert all({"Unit", "Service", "Install"} == set(unit(file).sections()) for file in UNITS)
        return
    # when
    names = [str(tmp_path / file.name) for file in UNITS]
    verified = subprocess.run(
        [program, "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    weighed = [
        subprocess.run(
            [program, "security", "--offline=yes", name], capture_output=True, text=True, check=False
        )
        for name in names
    ]
    # then
    ours = [line for line in verified.stderr.splitlines() if str(tmp_path) in line]
    assert (verified.returncode, ours) == (0, [])
    weights = [float(found[1]) for one in weighed if (found := WEIGHT.search(one.stdout))]
    assert len(weights) == len(UNITS)
    assert max(weights) < 2.0, weights


def test_the_environment_of_an_installation_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given: everything switched on at once
    found = variables(DEPLOY / "tiendo.env")
    for name in [name for name in os.environ if name.startswith("TIENDO_")]:
        monkeypatch.delenv(name)
    for name, value in found.items():
        monkeypatch.setenv(name, str(tmp_path) if name == "TIENDO_WORKFLOWS_DIR" else value)
    # when
    settings = read_settings()
    # then
    assert settings.channels == ("email",)
    assert settings.smtp_starttls
    assert "PASSWORD" not in "".join(
        value for name, value in settings.shown().items() if name != "TIENDO_SMTP_FROM"
    )
    # and every setting that there is stands in the other example
    assert variables(HERE / "config" / "example.env").keys() == {
        f"TIENDO_{name.upper()}" for name in Settings.model_fields
    }
    assert (HERE / "config" / "example.env").read_text(encoding="utf-8") == example()


def test_what_the_compose_file_names_is_there() -> None:
    # given
    found = compose()
    asked = [
        volume.split(":")[0]
        for service in found["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    # then
    assert asked
    assert not [path for path in asked if not (DEPLOY / path).is_file()]
    built = found["services"]["worker"]["build"]
    assert (DEPLOY / built["context"] / built["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    for service in found["services"].values():
        assert set(service.get("networks", [])) <= found["networks"].keys()
        assert set(service.get("secrets", [])) <= found["secrets"].keys()
        assert set(service.get("depends_on", {})) <= found["services"].keys()
    for name in ("worker", "ticker"):
        command = found["services"][name]["command"][0]
        assert any(command in declared for declared in cli.PLACES.values())


def test_no_container_has_rights_and_none_listens_outside_this_host() -> None:
    for name, service in compose()["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert all(LOOPBACK.match(port) for port in service.get("ports", [])), name
        if name != "postgres":  # its image gives its rights up by itself, and needs its data folder
            assert service["user"].partition(":")[0] not in {"", "0", "root"}, name
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
    assert compose()["networks"]["inside"] == {"internal": True}


def test_only_what_sets_up_gets_the_address_of_the_owner() -> None:
    with_owner = {
        name
        for name, service in compose()["services"].items()
        if "secrets/owner.env" in service.get("env_file", [])
    }

    assert with_owner == {"setup"}


def test_the_bell_keeps_what_it_is_given_and_lets_only_our_account_in() -> None:
    conf = (DEPLOY / "redis.conf").read_text(encoding="utf-8")
    accounts = (DEPLOY / "users.acl").read_text(encoding="utf-8").splitlines()

    assert re.search(r"^maxmemory-policy noeviction$", conf, re.MULTILINE)
    assert re.search(r"^bind 127\.0\.0\.1 -::1$", conf, re.MULTILINE)
    assert re.search(r"^protected-mode yes$", conf, re.MULTILINE)
    assert [line.split()[1] for line in accounts] == ["default", "tiendo"]
    assert accounts[0].split()[-2:] == ["-@all", "+ping"]
    assert "~tiendo:*" in accounts[1].split()


def test_the_image_is_built_of_what_is_there_and_does_not_run_as_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    let_in = [
        line.removeprefix("!")
        for line in (HERE / ".dockerignore").read_text().splitlines()
        if line[:1] == "!"
    ]
    copied = [
        line.split()[1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]

    assert copied
    assert not [path for path in copied if not (HERE / path).exists()]
    assert not [path for path in copied if path.split("/")[0] not in let_in]
    assert re.search(r"^USER (?!0|root)\S+$", text, re.MULTILINE)
    assert "--require-hashes" in text


def test_no_file_of_the_deployment_holds_a_password() -> None:
    invented = re.compile(r"PASSWORD|<secrets/\w+>|%s|\$\(cat|^(owner|app)_password$")
    for file in (one for one in DEPLOY.rglob("*") if one.is_file()):
        text = file.read_text(encoding="utf-8")
        for address in re.findall(r"://[^\s/@:]*:([^\s@]+)@", text):
            assert invented.search(address), f"{file.name}: {address}"
        for given in re.findall(r"(?i)password\s*[=:]\s*['\"]?([^\s'\"#…]+)", text):
            assert invented.search(given) or given.startswith(("/run/secrets/", "…")), f"{file.name}: {given}"


@pytest.mark.parametrize("file", sorted(DEPLOY.glob("*.sh")), ids=lambda file: file.name)
def test_each_script_can_be_read_by_a_plain_shell(file: Path) -> None:
    read = subprocess.run(["sh", "-n", str(file)], capture_output=True, text=True, check=False)

    assert (read.returncode, read.stderr) == (0, "")


def section(title: str) -> str:
    """Return one section of the page about running it."""
    text = (HERE / "docs" / "operations.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_page_names_every_look_of_the_doctor_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section("Is it in order?"), re.MULTILINE) == [
        look.code for look in doctor.LOOKS
    ]


def test_the_page_names_every_metric_and_no_other() -> None:
    # given what is shown: of the store from one that has some of everything, of the process from its list
    shown = {f"tiendo_{name}_total" for name in metrics.COUNTED} | {"tiendo_bell_up"}
    text = (HERE / "handlers" / "metrics.py").read_text(encoding="utf-8")
    shown |= {f"tiendo_{name}_total" for name in re.findall(r'_counter\(\s*"(\w+)"', text)}
    shown |= {f"tiendo_{name}" for name in re.findall(r'(?:_gauge\(|^ +\()\s*"(\w+)", "', text, re.MULTILINE)}
    shown.add("tiendo_store_up")

    assert set(re.findall(r"\btiendo_(?!app|owner)[a-z_]+", section("What to watch"))) == shown


def test_the_account_of_the_file_has_the_rights_that_the_page_names() -> None:
    named = next(
        line
        for line in section("Redis, workers, tickers").splitlines()
        if line.startswith("ACL SETUSER tiendo")
    )
    given = (DEPLOY / "users.acl").read_text(encoding="utf-8").split()

    assert {word for word in named.split() if word[:1] in "+~-"} <= set(given)
