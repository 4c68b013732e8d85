"""Runs the compose files in an earnest container engine, and the systemd unit under an earnest systemd, as their guides say.

Usage: .ci/python .ci/engine.py BINARY          as root; starts an engine of its own, and ends it

No registry is asked: the connector's image is built from nothing, and a stand-in for the image of PostgreSQL runs the
server of this machine. Exits with 77 where this machine does not let an engine run, with the engine's own words.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import service
import shipped

MANAGEMENT = "http://127.0.0.1:8081"
NOT_PERMITTED = 77

# what images with an empty root take from this machine
BORROWED = [f"{path}:{path}:ro" for path in ("/usr", "/etc/passwd", "/etc/group", "/etc/ld.so.cache")]
# what the official image of PostgreSQL does at its first start, with the server of this machine
FIRST_START = """#!/bin/sh
set -eu
export PATH="$(echo /usr/lib/postgresql/*/bin | tr ' ' ':'):$PATH"
data=/var/lib/postgresql/data
mkdir -p "$data" /var/run/postgresql
chown postgres: "$data" /var/run/postgresql
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
if [ ! -e "$data/PG_VERSION" ]; then
    as initdb --auth-host=scram-sha-256 --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" "$data"
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    echo "create database $POSTGRES_DB" | as postgres --single -D "$data" postgres
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D "$data" -c listen_addresses='*'
"""
STAND_IN = """
FROM scratch
ADD root.tar /
COPY script /
ENV PATH=/usr/bin:/usr/sbin
ENTRYPOINT ["/script"]
"""
# laid over compose.yaml: the stand-in, and no host of Microsoft
OVERRIDE = {
    "services": {
        "connector": {
            "environment": {
                "CONNECTOR__MICROSOFT__LOGIN_URL": "http://localhost:1",
                "CONNECTOR__MICROSOFT__GRAPH_URL": "http://localhost:1",
            }
        },
        "database": {
            "image": "stand-in-for-postgres",
            "volumes": BORROWED,
        },
    }
}


class Engine:
    """A docker daemon of this run: its own socket and folder, nothing of it is left."""

    mounts = BORROWED

    def __init__(self, folder):
        self.folder, self.log = folder, folder / "engine.log"
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{folder}/socket", "DOCKER_BUILDKIT": "1", "COMPOSE_PROJECT_NAME": "m365"}
        settings = {
            "hosts": [self.environment["DOCKER_HOST"]],
            "data-root": f"{folder}/data",
            "exec-root": f"{folder}/exec",
            "pidfile": f"{folder}/pid",
            # below the hard limits of the machine, which an engine inside of another sandbox may not raise
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 4096, "Hard": 4096}},
        }
        (folder / "engine.json").write_text(json.dumps(settings))
        with self.log.open("wb") as log:
            command = ["/usr/sbin/dockerd", "--config-file", folder / "engine.json"]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def runs(self):
        """Whether it answers, after the time that it takes to start."""
        for _ in range(shipped.PATIENCE):
            if self.process.poll() is not None:
                return False
            if subprocess.run(["/usr/bin/docker", "version"], env=self.environment, capture_output=True, check=False).returncode == 0:
                return True
            time.sleep(1)
        return False

    def docker(self, *arguments, **options):
        return self.call("/usr/bin/docker", *arguments, **options)

    def call(self, program, *arguments, check=True, cwd=None, said=""):
        """Runs a program against this engine, types `said`, and answers what it prints."""
        called = subprocess.run(
            [program, *arguments], env=self.environment, cwd=cwd, input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if check and called.returncode != 0:
            raise AssertionError(f"{program} {' '.join(map(str, arguments))}: {called.stdout}")
        return called.stdout.strip()

    def borrow(self, name, containerfile, script=""):
        """Builds an image with an empty root, whose programs will be this machine's, but for a script of its own."""
        place, root = self.folder / name, self.folder / f"{name}-root"
        place.mkdir()
        for path in ("usr", "etc/systemd/system", "tmp", "run", "root", "mnt", "source", "var/lib/postgresql/data"):
            (root / path).mkdir(parents=True)
        for link in ("bin", "sbin", "lib", "lib64"):
            (root / link).symlink_to(f"usr/{link}")
        (root / "etc/machine-id").touch()
        subprocess.run(["tar", "-cf", place / "root.tar", "-C", root, "."], check=True)
        (place / "script").write_text(script)
        (place / "script").chmod(0o755)
        (place / "Containerfile").write_text(containerfile)
        self.docker("build", "-q", "-t", name, "-f", "Containerfile", ".", cwd=place)

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=60)


class Estate:
    """The services of compose files, in the order in which they are laid over each other."""

    def __init__(self, engine, folder, *files):
        self.engine, self.folder = engine, folder
        self.files = [part for file in files for part in ("-f", str(file))]

    def compose(self, *arguments):
        return self.engine.call("/usr/bin/docker-compose", *self.files, *arguments, cwd=self.folder)

    def inspect(self, service):
        return json.loads(self.engine.docker("inspect", f"m365_{service}_1"))[0]

    def state(self, service):
        return self.inspect(service)["State"]

    def restarts(self, service):
        return self.inspect(service)["RestartCount"]

    def log(self):
        return self.compose("logs", "--no-color", "--tail", "60")

    def until(self, what, condition):
        shipped.until(what, condition, self.log)


def answers(path, token=None):
    return shipped.get(MANAGEMENT + path, token)


def looks(engine, folder):
    """compose.demo.yaml: the engine itself calls it healthy, and the page is served."""
    estate = Estate(engine, folder, "deploy/compose.demo.yaml")
    began = time.monotonic()
    estate.compose("up", "-d", "--no-build")
    estate.until("health", lambda: estate.state("demo")["Health"]["Status"] == "healthy")
    seconds = time.monotonic() - began
    assert answers("/")[0] == 200 and answers("/readyz")[0] == 200
    assert f"{MANAGEMENT}/" in estate.log(), f"the page's address is not told: {estate.log()}"
    estate.compose("stop")
    assert estate.state("demo")["ExitCode"] == 0, estate.log()
    estate.compose("down", "--volumes")
    print(f"engine: compose.demo.yaml is healthy {seconds:.1f} s after 'up'")


def earnest(engine, folder):
    """compose.yaml: waits for its database, outlives it, and finds its state again."""
    kept = folder / "deploy/secrets"
    kept.mkdir()
    for name in ("client_secret", "presence_password", "pbx_password"):
        (kept / name).write_text(secrets.token_hex(24))
    said = [line.removeprefix("#   ") for line in (folder / "deploy/compose.yaml").read_text().splitlines() if line.startswith("#   ")]
    typed = [line for line in said if line.startswith(("mkdir", "openssl", "chmod"))]
    subprocess.run(["bash", "-euc", "\n".join(typed)], check=True, cwd=folder)
    token = (kept / "management_token").read_text().strip()
    (folder / "override.json").write_text(json.dumps(OVERRIDE))
    estate = Estate(engine, folder, "deploy/compose.yaml", "override.json")

    def lives():
        return answers("/livez")[0] == 200

    def database():
        return json.loads(answers("/api/v1/status", token)[1])["database"]

    began = time.monotonic()
    estate.compose("up", "-d", "--no-build")
    estate.until("livez", lives)
    seconds = time.monotonic() - began
    assert estate.state("database")["Health"]["Status"] == "healthy", "the connector has not waited for its database"
    assert estate.restarts("connector") == 0, estate.log()
    said = engine.docker("exec", "m365_connector_1", "/m365-connector", "healthcheck", check=False)
    assert "not ready (503)" in said, said
    print(f"engine: compose.yaml serves {seconds:.1f} s after 'up', a fresh PostgreSQL included; {database()}")

    estate.compose("stop", "database")
    for _ in range(10):
        assert lives(), estate.log()
        time.sleep(0.5)
    estate.compose("start", "database")
    estate.until("the database again", lambda: estate.state("database")["Health"]["Status"] == "healthy")
    assert lives() and estate.restarts("connector") == 0, estate.log()

    for _ in range(2):
        estate.compose("stop", "connector")
        assert estate.state("connector")["ExitCode"] == 0, estate.log()
        estate.compose("start", "connector")
        estate.until("livez", lives)
    estate.compose("down", "--volumes")
    print("engine: it outlives its database, ends in order and finds its state again")


def main():
    binary = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="m365-connector-engine-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        engine = Engine(folder)
        try:
            if not engine.runs():
                print(f"engine: this machine lets none run:\n{engine.log.read_text()[-2000:]}")
                sys.exit(NOT_PERMITTED)
            place = folder / "source"
            shipped.lay_down(place, binary)
            engine.docker("build", "-q", "-t", "m365-connector", "-f", "deploy/Containerfile", ".", cwd=place)
            engine.borrow("stand-in-for-postgres", STAND_IN, FIRST_START)
            looks(engine, place)
            earnest(engine, place)
            service.lives(engine, place)
        finally:
            engine.end()


main()
