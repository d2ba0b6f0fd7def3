#!/bin/sh
# Makes src/api/schema.d.ts from the OpenAPI document; its first line names the document it was made from.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-../../.venv/bin/python}
"$python" -m gateway.contract.openapi > openapi.json
{ echo "// OpenAPI sha256 $("$python" -m gateway.contract.openapi --digest)"; npx --no-install openapi-typescript openapi.json --root-types=false; } > src/api/schema.d.ts
rm openapi.json
