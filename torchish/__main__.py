"""``python -m torchish``."""

from __future__ import annotations

import sys

from torchish._cli import main

if __name__ == "__main__":
    sys.exit(main())
