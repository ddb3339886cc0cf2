"""The reader of packed files that the guide shows, in a JavaScript engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest

from optionchain.export import Export, Format
from optionchain.parameters import SingleExpiration
from tests.unit.export.simulations import parameters

GUIDE = Path(__file__).parents[3] / "docs" / "exports.md"
SHOW_WHAT_IT_READS = """
const bytes = require("fs").readFileSync(process.argv[2]);
const found = columnsOf(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
process.stdout.write(JSON.stringify(found, (_, each) =>
  typeof each === "bigint" ? Number(each) : ArrayBuffer.isView(each) ? Array.from(each) : each));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node, a JavaScript engine")
@pytest.mark.parametrize(
    "terms", [parameters(), parameters(expirations=SingleExpiration(2.0))], ids=["rolling", "one expiration"]
)
def test_it_reads_every_column(terms: object, tmp_path: Path) -> None:
    [reader] = re.findall(r"```javascript\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    files = {
        format: b"".join(Export(parameters=terms, format=format, greeks="all").pieces())
        for format in (Format.PACKED, Format.ARROW)
    }
    (tmp_path / "file.ocsp").write_bytes(files[Format.PACKED])
    (tmp_path / "read.js").write_text(reader + SHOW_WHAT_IT_READS)

    shown = subprocess.run(
        ["node", "read.js", "file.ocsp"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    found = {name: [one for block in blocks for one in block] for name, blocks in json.loads(shown).items()}
    expected = pa.ipc.open_stream(files[Format.ARROW]).read_all().to_pydict()
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        if name in ("simulated_at", "expires_at"):
            assert [nanoseconds // 10**9 for nanoseconds in found[name]] == [
                int(instant.timestamp()) for instant in column
            ]
        else:
            assert found[name] == column, name
