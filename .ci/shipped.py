"""What the checks of the image, the compose files and the unit have in common."""

import shutil
import time
import urllib.error
import urllib.request

PATIENCE = 120


def lay_down(folder, binary):
    """Lays down what the image is built from, where the Containerfile looks for it."""
    place = folder / "target/x86_64-unknown-linux-gnu/release"
    place.mkdir(parents=True)
    shutil.copy(binary, place / "m365-connector")
    shutil.copytree("deploy", folder / "deploy")


def get(url, token=None):
    """Status and body of an answer; 0 and nothing when there is none."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(what, condition, told):
    """Waits until a condition holds; answers its value. `told` is what was said meanwhile."""
    began = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began < PATIENCE, f"waited in vain for {what}:\n{told()}"
        time.sleep(0.05)
    return found
