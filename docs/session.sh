#!/usr/bin/env bash
# Regenerates the terminal session of the README: runs the commands below and sets what they printed
# between its markers. Usage: docs/session.sh    (after `make demo` or `make test` has set up .venv)
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/.venv/bin:$PATH" COLUMNS=80 NO_COLOR=1 TERM=dumb OMP_NUM_THREADS=2
ECGWM_HOME="$(mktemp -d)"
export ECGWM_HOME
unset OPENAI_API_KEY OPENAI_BASE_URL ECGWM_API_KEY ECGWM_BASE_URL ECGWM_MODEL
session="$(mktemp)"
trap 'rm -rf "$ECGWM_HOME" "$session"' EXIT

# A command that is refused on purpose has its exit code shown, too.
show() {
  local code=0
  echo "\$ $*" >>"$session"
  eval "$*" >>"$session" 2>/dev/null || code=$?
  if [ "$code" -ne 0 ]; then echo "(exit code $code)" >>"$session"; fi
  echo >>"$session"
}

show 'ecgwm-agent demo --out docs/demo.html'
show 'ecgwm-agent mask --patient examples/digoxin_low_potassium.json --action "digoxin 0.25 mg oral" --action "sotalol 80 mg oral"'

python - "$session" <<'PYTHON'
import sys
from pathlib import Path

readme = Path("README.md")
lines = (line.rstrip() for line in Path(sys.argv[1]).read_text(encoding="utf-8").strip().splitlines())
before, rest = readme.read_text(encoding="utf-8").split("<!-- session -->", 1)
_, after = rest.split("<!-- end of session -->", 1)
body = "\n".join(lines)
readme.write_text(
    f"{before}<!-- session -->\n```text\n{body}\n```\n<!-- end of session -->{after}", encoding="utf-8"
)
PYTHON
echo "README.md: session set; the report of its demo is docs/demo.html"
