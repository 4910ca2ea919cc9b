#!/usr/bin/env bash
# Regenerates what the README shows: runs the commands below, sets what they printed between its markers, and,
# where Chromium is at hand, takes the picture of the report. Usage: docs/session.sh, after `make test`.
set -eu
root="$(cd "$(dirname "$0")/.." && pwd)"

export PATH="$root/.venv/bin:$PATH" COLUMNS=80 NO_COLOR=1 TERM=dumb
unset OPENAI_API_KEY OPENAI_BASE_URL ECGWM_API_KEY ECGWM_BASE_URL ECGWM_MODEL
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
export ECGWM_HOME="$place/home"
mkdir "$place/work"
ln -s "$root/examples" "$place/work/examples"
cd "$place/work"

# A command that ends with another code than 0 has it shown, too.
show() {
  local code=0
  echo "\$ $*"
  eval "$*" 2>/dev/null || code=$?
  if [ "$code" -ne 0 ]; then echo "(exit code $code)"; fi
  echo
}

{
  show 'ecgwm-agent demo | head -n 50'
  show 'ecgwm-agent mask --patient examples/nausea_long_qt.json --action "ondansetron 4 mg iv"'
} >"$place/session.txt"

python - "$root/README.md" "$place/session.txt" <<'PYTHON'
import sys
from pathlib import Path

readme, session = map(Path, sys.argv[1:])
printed = "\n".join(line.rstrip() for line in session.read_text(encoding="utf-8").strip().splitlines())
before, rest = readme.read_text(encoding="utf-8").split("<!-- session -->", 1)
after = rest.split("<!-- end of session -->", 1)[1]
block = f"<!-- session -->\n```text\n{printed}\n```\n<!-- end of session -->"
readme.write_text(before + block + after, encoding="utf-8")
PYTHON
echo "the session stands in README.md"

if command -v chromium >/dev/null; then
  chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update \
    --disable-sync --no-first-run --hide-scrollbars --user-data-dir="$place/browser" --window-size=1100,1500 \
    --screenshot="$root/docs/report.png" "file://$place/work/ecgwm-demo.html" 2>/dev/null
  echo "the picture of the report is docs/report.png"
fi
