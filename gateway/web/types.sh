#!/bin/sh
# Makes src/api/schema.d.ts from what `gateway schemas` wrote; its first line names the document it was made from.
set -eu
cd "$(dirname "$0")"
openapi=../../schemas/openapi.json
{ echo "// OpenAPI sha256 $(sha256sum < $openapi | cut -d " " -f 1)"; npx --no-install openapi-typescript $openapi --root-types=false; } > src/api/schema.d.ts
