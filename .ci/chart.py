"""Renders the Helm chart by Go's own template engine and holds the result to Kubernetes' schemas.

Helm itself is in none of the package registries that the CI reaches. What it does to this chart is little: the values
are merged and held to values.schema.json, then every template is executed. The engine here has all functions of
Helm's but `include`, whose calls are replaced by what they give; the chart calls it with the root only. `.Files.Get` is
replaced by the file.

Every file of ci/ is a case that must come out valid; every file of ci/refused/ one that must be refused with the words
that are its name.

Usage: .ci/python .ci/chart.py [--print]
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import go_template
import jsonschema
import kubernetes_validate
import yaml

CHART = Path("deploy/helm/m365-connector")
VERSIONS = ("1.27.0", "1.32.0", "1.37.0")
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
ALERTS = Path("deploy/prometheus/alerts.yaml")
RELEASE = {"Name": "presence", "Namespace": "telephony", "Service": "Helm", "Revision": 1, "IsInstall": True}
INCLUDE = re.compile(r'include "([^"]+)" [.$]')
FILE = re.compile(r'\.Files\.Get "([^"]+)"')


class Refused(Exception):
    """The chart does not render with these values."""


def execute(text, context):
    """Executes a template in a process of its own: the engine ends its process when the template fails."""
    reading, writing = os.pipe()
    complaint = tempfile.TemporaryFile()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(complaint.fileno(), 1)
        os.dup2(complaint.fileno(), 2)
        with tempfile.NamedTemporaryFile("w", suffix=".tpl") as file:
            file.write(text)
            file.flush()
            rendered = go_template.render(Path(file.name), context)
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(b"done:" + rendered)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        rendered = pipe.read()
    os.waitpid(child, 0)
    complaint.seek(0)
    said = complaint.read().decode()
    if not rendered.startswith(b"done:") or b"error calling fail" in rendered or said:
        raise Refused(said or rendered.decode())
    return rendered[len(b"done:"):].decode()


class Chart:
    """The chart with one set of values."""

    def __init__(self, values):
        about = yaml.safe_load((CHART / "Chart.yaml").read_text())
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        merged = merge(defaults, values)
        try:
            jsonschema.validate(merged, json.loads((CHART / "values.schema.json").read_text()))
        except jsonschema.ValidationError as error:
            raise Refused(error.message) from error
        self.context = {
            "Values": merged,
            "Release": RELEASE,
            "Chart": {name[0].upper() + name[1:]: value for name, value in about.items()},
        }
        self.helpers = (CHART / "templates/_helpers.tpl").read_text()
        self.included = {}
        self.under_way = set()

    def include(self, name):
        """What `include` gives for the root."""
        if name in self.under_way:
            return ""
        if name not in self.included:
            self.under_way.add(name)
            helpers = self.expand(self.helpers)
            self.included[name] = execute(helpers + f'{{{{ template "{name}" . }}}}', self.context).strip("\n")
            self.under_way.remove(name)
        return self.included[name]

    def expand(self, text):
        """The text without `include`."""
        text = FILE.sub(lambda call: json.dumps((CHART / call[1]).read_text()), text)
        text = INCLUDE.sub(lambda call: json.dumps(self.include(call[1])), text)
        if "include" in re.sub(r"\{\{- /\*.*?\*/ -\}\}", "", text):
            raise Refused("include is called with something else than the root")
        return text

    def objects(self):
        """Every object of the release, with the template it comes from."""
        for template in sorted((CHART / "templates").glob("*")):
            if template.name.startswith("_"):
                continue
            rendered = execute(self.expand(template.read_text()), self.context)
            if "<no value>" in rendered:
                raise Refused(f"{template.name} uses a value that does not exist")
            if template.suffix == ".yaml":
                yield from ((template.name, one) for one in yaml.safe_load_all(rendered) if one is not None)


def merge(lower, upper):
    """Values laid over values, as Helm does."""
    merged = dict(lower)
    for name, value in upper.items():
        both = isinstance(value, dict) and isinstance(lower.get(name), dict)
        merged[name] = merge(lower[name], value) if both else value
    return merged


def hold(objects):
    """Holds the objects to Kubernetes' schemas and to each other."""
    names = [(one["kind"], one["metadata"]["name"]) for _, one in objects]
    assert len(set(names)) == len(names), f"a name is used twice: {names}"
    for template, one in objects:
        for version in () if one["kind"] in CUSTOM else VERSIONS:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                path = ".".join(map(str, error.path))
                raise AssertionError(f"{template}: {path}: {error.message} (Kubernetes {version})") from error
    of_kind = {one["kind"]: one for _, one in objects}
    pod = of_kind["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    selectors = [one["spec"]["selector"] for _, one in objects if one["kind"] == "Service"]
    selectors.append(of_kind["Deployment"]["spec"]["selector"]["matchLabels"])
    if "NetworkPolicy" in of_kind:
        selectors.append(of_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"])
    for selector in selectors:
        assert selector and selector.items() <= labels, f"{selector} selects no pod"
    container = pod["spec"]["containers"][0]
    ports = {port["name"] for port in container["ports"]}
    used = [port["targetPort"] for _, one in objects if one["kind"] == "Service" for port in one["spec"]["ports"]]
    used += [container[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == "/livez", "a standby is never ready, and must not be ended for that"
    assert set(used) <= ports, f"a port of {used} is not among {ports}"
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["spec"]["volumes"]}
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] and security["capabilities"]["drop"] == ["ALL"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"] and not pod["spec"]["automountServiceAccountToken"]
    if "ServiceMonitor" in of_kind:
        monitor = of_kind["ServiceMonitor"]["spec"]
        watched = [
            one
            for _, one in objects
            if one["kind"] == "Service" and monitor["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
        ]
        assert len(watched) == 1, "the ServiceMonitor selects exactly the management service"
        assert monitor["endpoints"][0]["port"] in {port["name"] for port in watched[0]["spec"]["ports"]}
        assert watched[0]["metadata"]["labels"][monitor["jobLabel"]] == "m365-connector", "the job of the alert rules"
    if "PrometheusRule" in of_kind:
        # promtool has checked that file, in the step alerts
        rules = of_kind["PrometheusRule"]["spec"]
        assert rules == yaml.safe_load(ALERTS.read_text()), f"the chart has other alert rules than {ALERTS}"


def main():
    version = re.search(r'^version = "(.*)"', Path("Cargo.toml").read_text(), re.M)[1]
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == version, f"Chart.yaml says another version than {version}"
    cases = sorted(CHART.glob("ci/*.yaml"))
    refusals = sorted(CHART.glob("ci/refused/*.yaml"))
    assert cases and refusals
    for case in cases:
        objects = list(Chart(yaml.safe_load(case.read_text())).objects())
        hold(objects)
        print(f"chart: {case.name}: {len(objects)} objects, valid for Kubernetes {', '.join(VERSIONS)}")
        if "--print" in sys.argv:
            print(yaml.safe_dump_all([one for _, one in objects], sort_keys=False))
    for case in refusals:
        try:
            list(Chart(yaml.safe_load(case.read_text())).objects())
        except Refused as refused:
            assert case.stem in str(refused), f"{case.name} is refused for another reason: {refused}"
        else:
            raise AssertionError(f"{case.name} is not refused")
    print(f"chart: {len(refusals)} wrong sets of values are refused with their reason")


main()
