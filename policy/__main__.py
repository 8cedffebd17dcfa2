"""What the engine runs for `--policy-pack policy`: serves the pack."""

import sys
from pathlib import Path

# The engine runs this file with only policy/ on the path; the packages stand beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policy.pack import run

run()
