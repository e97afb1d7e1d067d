"""``python -m scansion``, the same as ``scansion``."""

from scansion.cli.main import run

if __name__ == "__main__":
    run()
