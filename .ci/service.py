"""The systemd unit under an earnest systemd, by the commands of its guide; a part of engine.py."""

import shutil
from pathlib import Path

import shipped

# A machine that runs systemd, with the programs of this one; what is installed there covers them and goes with it. Mounts
# are shared, as on a machine and not as in a container: systemd hands credentials over by them.
MACHINE = """
FROM scratch
ADD root.tar /
ENV container=docker PATH=/usr/bin:/usr/sbin
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/bin/sh", "-c", "mount --make-rshared / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/up /mnt/work && mount -t overlay overlay -o lowerdir=/usr,upperdir=/mnt/up,workdir=/mnt/work /usr && exec /usr/lib/systemd/systemd"]
"""
RIGHTS = ("SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "MKNOD", "AUDIT_WRITE")
SERVICE = "m365-connector.service"
NOWHERE = "CONNECTOR__MICROSOFT__LOGIN_URL=http://localhost:1\nCONNECTOR__MICROSOFT__GRAPH_URL=http://localhost:1\n"


class Machine:
    """A container in which systemd is the first process."""

    def __init__(self, engine, folder):
        self.engine = engine
        rights = [f"--cap-add={right}" for right in RIGHTS]
        confined = ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]
        mounts = [*engine.mounts, "/sys/fs/cgroup:/sys/fs/cgroup", f"{folder}:/source"]
        places = ["--cgroupns=host", "--tmpfs", "/run", "--tmpfs", "/tmp", *(part for mount in mounts for part in ("-v", mount))]
        engine.docker("run", "-d", "--name", "machine", *rights, *confined, *places, "-w", "/source", "machine")
        self.until("systemd", lambda: self.types("systemctl is-system-running", check=False) == "running")

    def types(self, line, said="", check=True):
        """Lets root type a line in the folder of the source; answers what it prints."""
        return self.engine.docker("exec", "-i", "machine", "bash", "-c", line, check=check, said=said)

    def journal(self):
        return self.types(f"journalctl --no-pager -n 40 -u {SERVICE}", check=False)

    def shows(self, *properties):
        """What systemd knows of the service."""
        lines = self.types(f"systemctl show {SERVICE} --property={','.join(properties)}").splitlines()
        found = dict(line.split("=", 1) for line in lines)
        return [found[name] for name in properties]

    def until(self, what, condition):
        shipped.until(what, condition, self.journal)

    def process(self):
        """The number of the service's process inside the machine, once it is up."""
        self.until("the service", lambda: self.shows("ActiveState", "SubState") == ["active", "running"])
        return self.shows("MainPID")[0]


def chapters(guide):
    """The commands of a guide by the heading that they stand under."""
    found, heading = {}, ""
    for line in Path(guide).read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("    "):
            found.setdefault(heading, []).append(line.strip())
    return found


def lives(engine, folder):
    """The unit, by the commands of its guide: it starts, is held to what it may, comes back, and leaves nothing."""
    guide = chapters("deploy/systemd/README.md")
    place = folder / "target/release"
    place.mkdir()
    shutil.copy(next(folder.glob("target/*/release/m365-connector")), place)
    annotated = folder / "deploy/connector.toml"
    annotated.write_text(annotated.read_text().replace("/run/secrets/", f"/run/credentials/{SERVICE}/secret_"))
    engine.borrow("machine", MACHINE)
    machine = Machine(engine, folder)
    for command in guide["Install"]:
        machine.types(command, said="typed by somebody\n")
    for name in ("presence_password", "pbx_password"):
        machine.types(f"openssl rand -hex 24 > /etc/m365-connector/secrets/{name}")
    machine.types(f"printf '{NOWHERE}' > /etc/m365-connector/environment")

    for command in guide["Start"]:
        machine.types(command.replace("--follow", "--no-pager"))
    process = machine.process()
    status = machine.types(f"cat /proc/{process}/status")
    facts = {name: value.split() for name, value in (line.split(":", 1) for line in status.splitlines())}
    assert facts["Uid"][0] not in ("0", "65532") and facts["CapEff"] == ["0000000000000000"], status
    assert facts["NoNewPrivs"] == ["1"] and facts["Seccomp"] == ["2"], status
    health = machine.types("m365-connector healthcheck --config /etc/m365-connector/connector.toml", check=False)
    assert "not ready (503)" in health, health
    kept = machine.types("ls /var/lib/private/m365-connector").split()
    assert {"connector.db", "connector.db.key"} <= set(kept), kept
    assert "typed by somebody" not in machine.types(f"journalctl --no-pager -u {SERVICE}")

    machine.types(f"kill -KILL {process}")
    machine.until("a start after a kill", lambda: machine.process() != process)
    # the guide's minute, shortened
    added = f"/run/systemd/system/{SERVICE}.d"
    machine.types(f"mkdir -p {added} && printf '[Service]\\nWatchdogSec=3s\\n' > {added}/watchdog.conf")
    machine.types(f"systemctl daemon-reload && systemctl restart {SERVICE}")
    process = machine.process()
    machine.types(f"kill -STOP {process}")
    machine.until("a start after a stop", lambda: machine.process() != process)

    for command in guide["Update"]:
        machine.types(command)
    machine.process()
    machine.types("sed -i 's/^tenant = .*/tenant = 5/' /etc/m365-connector/connector.toml")
    machine.types(f"systemctl restart {SERVICE}", check=False)
    machine.until("the verdict on a wrong file", lambda: machine.shows("ActiveState", "ExecMainStatus") == ["failed", "2"])
    for command in guide["Remove"]:
        machine.types(command)
    engine.docker("rm", "-f", "machine")
    print(f"engine: the systemd unit starts, is confined, comes back after a kill and a stop, and is removed; {facts['Uid'][0]} was its user")
