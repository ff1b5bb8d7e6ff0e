"""The helpers of tests/ are imported here as plain modules too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
