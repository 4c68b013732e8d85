"""Holds the bill of materials to CycloneDX' own schema, and to Cargo.lock: nothing that is linked in is missing.

Usage: .ci/python .ci/bill.py m365-connector.cdx.json
"""

import json
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = Path(sys.argv[1]).read_text()
complaint = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
assert complaint is None, f"not CycloneDX 1.6: {complaint}"

bill = json.loads(text)
listed = {f"{one['name']} v{one['version']}" for one in bill["components"]}
command = ["cargo", "tree", "--locked", "--edges=normal", "--prefix=none", "--format={p}"]
linked = {" ".join(line.split()[:2]) for line in subprocess.check_output(command, text=True).splitlines() if line}
missing = linked - listed - {next(line for line in linked if line.startswith("m365-connector "))}
assert not missing, f"not in the bill: {missing}"
without = [one["name"] for one in bill["components"] if "hashes" not in one and not one["name"].startswith("m365-")]
assert not without, f"without a checksum: {without}"
print(f"bill: {len(listed)} components, valid CycloneDX 1.6")
