"""Builds the container image of a release binary and lives in it as a container would: with its user, its environment,
a root file system that cannot be written, and one volume.

Usage: .ci/python .ci/image.py BINARY          as root; buildah builds, and no container engine runs

No engine is needed for what is tested: the image's root is mounted read-only, the volume over /data, and the image's
own commands are started in it without any capability.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import shipped

HIGHEST_MIB = 40
CONFIGURATION = """
[public]
url = "https://connector.example.com"
[management]
token = "a token of the test only"
[microsoft]
tenant = "contoso.example"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret = "none"
# resolved by the C library, which is linked statically
login_url = "http://localhost:1"
graph_url = "http://localhost:1"
[[microsoft.communication_users]]
username = "presence@contoso.example"
password = "none"
[pbx]
password = "none"
master = "pbx"
"""


class Image:
    """The image, built by buildah into a storage of its own."""

    def __init__(self, folder, binary):
        self.storage = ["--storage-driver", "vfs", "--root", f"{folder}/storage", "--runroot", f"{folder}/run"]
        context = folder / "context"
        shipped.lay_down(context, binary)
        built = self.buildah("bud", "--isolation", "chroot", "--format", "docker", "--quiet", "-f", "deploy/Containerfile", cwd=context)
        self.about = json.loads(self.buildah("inspect", "--type", "image", built))["Docker"]["config"]
        self.root = Path(self.buildah("mount", self.buildah("from", "--pull-never", built)))
        self.bytes = sum(file.stat().st_size for file in self.root.rglob("*") if file.is_file())

    def buildah(self, command, *arguments, cwd=None):
        called = subprocess.run(["buildah", *self.storage, command, *arguments], check=True, stdout=subprocess.PIPE, text=True, cwd=cwd)
        return called.stdout.strip()


class Container:
    """What an engine makes of the image: mounts of its own, the image's user, no capability, nothing to write but /data."""

    def __init__(self, image, volume, environment, arguments=None):
        user, group = image.about["User"].split(":")
        uses = dict(one.split("=", 1) for one in image.about["Env"]) | environment
        command = [*image.about["Entrypoint"], *(arguments or image.about["Cmd"])]
        root = image.root
        mounts = f"""
            mount --make-rprivate /
            mount --bind '{root}' '{root}' && mount --bind '{volume}' '{root}/data'
            mount -t proc proc '{root}/proc' && mount --bind /etc/hosts '{root}/etc/hosts'
            for device in null zero random urandom; do mount --bind /dev/$device '{root}/dev/'$device; done
            mount -o remount,bind,ro '{root}'
            exec setpriv --no-new-privs unshare --root='{root}' --wd=/data --setgid={group} --setuid={user} -- "$@"
        """
        inside = ["unshare", "--mount", "--ipc", "--uts", "bash", "-euc", mounts, "inside"]
        self.said = tempfile.TemporaryFile()
        self.call = lambda arguments, **options: subprocess.Popen([*inside, *arguments], env={"PATH": os.environ["PATH"], **uses}, **options)
        self.check = image.about["Healthcheck"]["Test"][1:]
        self.process = self.call(command, stdout=self.said, stderr=subprocess.STDOUT)

    def log(self):
        self.said.seek(0)
        return self.said.read().decode()

    def until(self, what, condition):
        """Waits until a condition holds; answers its value."""

        def holds():
            assert self.process.poll() is None, f"it has ended with {self.process.returncode}: {self.log()}"
            return condition()

        return shipped.until(what, holds, self.log)

    def health(self):
        """What the image's HEALTHCHECK comes to: its exit code, and what it says."""
        asked = self.call(self.check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = asked.communicate()[0].decode()
        return asked.returncode, said

    def status(self):
        """The words of /proc about the process: who it is and what it may."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return {name: value.split() for name, value in (line.split(":", 1) for line in lines)}

    def end(self):
        """Ends it as an engine does; answers the exit code and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60), time.monotonic() - began


def get(address, path):
    return shipped.get(f"http://{address}{path}")


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return "127.0.0.1:{}".format(listener.getsockname()[1])


def volume_of(image, folder, name):
    """A fresh volume, as an engine fills it: with the content and the owner of the image's folder."""
    volume = folder / name
    assert image.about["Volumes"] == {"/data": {}}, "one volume"
    shutil.copytree(image.root / "data", volume)
    owner = (image.root / "data").stat()
    os.chown(volume, owner.st_uid, owner.st_gid)
    return volume


def serves(image, folder):
    """It serves with a configuration, keeps its database on the volume, and is not healthy while nothing is reached."""
    volume = volume_of(image, folder, "serving")
    (volume / "connector.toml").write_text(CONFIGURATION)
    public, management = free_address(), free_address()
    environment = {
        "CONNECTOR_CONFIG": "/data/connector.toml",
        "CONNECTOR__PUBLIC__LISTEN": public,
        "CONNECTOR__MANAGEMENT__LISTEN": management,
    }
    for _start in ("with an empty volume", "with its database"):
        began = time.monotonic()
        container = Container(image, volume, environment)
        container.until("livez", lambda: get(management, "/livez")[0] == 200)
        seconds = time.monotonic() - began
        assert get(management, "/activez")[0] == 200
        assert get(public, "/graph/notifications")[0] == 405
        status = container.status()
        assert set(status["Uid"]) == {"65532"} and set(status["Gid"]) == {"65532"}, status
        assert status["CapEff"] == ["0000000000000000"] and status["NoNewPrivs"] == ["1"], status
        code, said = container.health()
        assert code == 1 and "not ready (503)" in said, (code, said)
        container.until("a refused connection", lambda: "Connection refused" in container.log())
        assert "localhost:1" in container.log() and "lookup" not in container.log()
        code, took = container.end()
        assert code == 0, container.log()
        print(f"image: serves {_start} after {seconds:.2f} s, ends in order after {took:.1f} s")
    kept = sorted(file.name for file in volume.iterdir())
    assert "connector.db" in kept and "connector.db.key" in kept, kept
    assert (volume / "connector.db").stat().st_uid == 65532


def shows(image, folder):
    """The look with simulators: three green lights and a healthy container."""
    volume = volume_of(image, folder, "showing")
    management = free_address()
    container = Container(image, volume, {"CONNECTOR__MANAGEMENT__LISTEN": management}, ["demo", "--listen", management])
    began = time.monotonic()
    container.until("health", lambda: container.health()[0] == 0)
    print(f"image: the demo is healthy after {time.monotonic() - began:.1f} s")
    metrics = container.log()
    code, _took = container.end()
    assert code == 0, metrics


def main():
    binary = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="m365-connector-image-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        image = Image(folder, binary)
        files = sorted(str(file.relative_to(image.root)) for file in image.root.rglob("*") if file.is_file())
        assert [file for file in files if not file.startswith("data/")] == ["m365-connector"], f"more than the program: {files}"
        size = image.bytes / 2**20
        print(f"image: {size:.1f} MiB of at most {HIGHEST_MIB} MiB, user {image.about['User']}, files {files}")
        assert size <= HIGHEST_MIB, "the image is larger than its budget"
        # an engine makes these for its mounts
        for mountpoint in ("proc", "etc", "dev"):
            (image.root / mountpoint).mkdir()
        for mountpoint in ("etc/hosts", "dev/null", "dev/zero", "dev/random", "dev/urandom"):
            (image.root / mountpoint).touch()
        serves(image, folder)
        shows(image, folder)


main()
