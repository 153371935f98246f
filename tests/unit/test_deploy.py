"""The files in deploy/ are right as far as that can be seen without systemd or Docker running."""

import fnmatch
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT
from watcher.daemon.run import DRAIN

UNIT = ROOT / "deploy" / "watcher.service"
HAS_SYSTEMD = shutil.which("systemd-analyze") is not None
needs_systemd = pytest.mark.skipif(not HAS_SYSTEMD, reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there on this machine in place of the installed one."""
    text = UNIT.read_text()
    assert text.count("/opt/watcher/bin/watcher") == 1
    (tmp_path / "watcher.service").write_text(text.replace("/opt/watcher/bin/watcher", shutil.which("true") or ""))
    return tmp_path / "watcher.service"


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_the_unit_gives_little_away(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_the_unit_fits_the_daemon() -> None:
    settings: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    assert settings["Type"] == ["notify"]
    assert settings["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert settings["KillMode"] == ["mixed"], "a worker must not be signalled before the daemon has drained"
    assert settings["RestartPreventExitStatus"] == ["2"], "2 is a broken configuration"
    assert settings["Environment"] == ["WATCHER_STORE=sqlite:///%S/watcher/watcher.db"]


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "deploy" / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_image_has_what_it_copies() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name, value in instructions():
        if name == "COPY" and not value.startswith("--from"):
            for source in value.split()[:-1]:
                assert any(fnmatch.fnmatch(source, pattern) for pattern in kept), f"{source} is ignored"
                assert source == "requirements.lock" or (ROOT / source).exists()


def test_the_image_runs_as_nobody_in_particular_and_says_if_it_is_well() -> None:
    last = [index for index, (name, _) in enumerate(instructions()) if name == "FROM"][-1]
    final = dict(instructions()[last:])
    assert final["USER"] == "10001:10001"
    assert final["STOPSIGNAL"] == "SIGTERM"
    assert final["HEALTHCHECK"].endswith('CMD ["watcher", "status"]')
    assert final["ENTRYPOINT"] == '["watcher"]'
    assert "WATCHER_STORE=sqlite:////data/watcher.db" in final["ENV"]
    installs = [value for name, value in instructions() if name == "RUN" and "pip install" in value]
    assert "--require-hashes" in installs[0]
    assert "--only-binary=:all:" in installs[0]
    assert all("--require-hashes" in value or "--no-deps" in value for value in installs)


def test_compose_gives_the_container_nothing_that_it_does_not_need() -> None:
    service = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]["watcher"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["environment"]["TZ"] == "${TZ:-UTC}"
    targets = [volume.split(":")[1] for volume in service["volumes"]]
    assert targets == ["/data", "/config", "/run/secrets"]
    assert all(volume.endswith(":ro") for volume in service["volumes"][1:])
    assert (ROOT / "deploy" / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_the_stop_times_leave_time_to_drain() -> None:
    service = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]["watcher"]
    assert int(service["stop_grace_period"].rstrip("s")) > DRAIN
    found = re.search(r"^TimeoutStopSec=(\d+)s$", UNIT.read_text(), re.MULTILINE)
    assert found
    assert int(found[1]) > DRAIN
