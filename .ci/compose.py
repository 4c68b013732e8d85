"""Holds the compose files to themselves, to the annotated configuration and to the program.

Usage: .ci/python .ci/compose.py
"""

import re
from pathlib import Path

import yaml

FOLDER = Path("deploy")
ANNOTATED = (FOLDER / "connector.toml").read_text()


def keys():
    """Every key of the annotated configuration, switched off or not."""
    section = ""
    for line in ANNOTATED.splitlines():
        if head := re.match(r"(?:# )?\[+([a-z_.]+)\]+", line):
            section = head[1]
        elif key := re.match(r"(?:# )?([a-z_]+) = ", line):
            yield f"{section}.{key[1]}"


def main():
    known = set(keys())
    assert len(known) > 40, known
    for file in sorted(FOLDER.glob("compose*.yaml")):
        compose = yaml.safe_load(file.read_text())
        for name, service in compose["services"].items():
            where = f"{file.name}: {name}"
            for kind in ("secrets", "volumes"):
                used = {one.split(":")[0] for one in service.get(kind, []) if not one.startswith(("./", "/"))}
                assert used <= compose.get(kind, {}).keys(), f"{where}: {kind} {used} are not declared"
            assert set(service.get("depends_on", {})) <= compose["services"].keys(), where
            if "build" in service:
                context = FOLDER / service["build"]["context"]
                assert (context / service["build"]["dockerfile"]).exists(), where
                assert service["read_only"] and service["cap_drop"] == ["ALL"], f"{where} may do more than it needs"
            for variable in service.get("environment", {}):
                if variable.startswith("CONNECTOR__"):
                    key = variable.removeprefix("CONNECTOR__").lower().replace("__", ".")
                    assert {key, key.removesuffix("_file")} & known, f"{where}: {variable} is no key"
            for secret in service.get("secrets", []):
                assert f"/run/secrets/{secret}" in ANNOTATED + file.read_text(), f"{where}: nobody reads {secret}"
        print(f"compose: {file.name}: {', '.join(compose['services'])}")


main()
