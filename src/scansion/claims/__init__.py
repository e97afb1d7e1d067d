"""The talk's claims, each measured, drawn and judged: ``scansion.claims.run("vanishing-gradients")``."""

from scansion.claims.catalogue import CLAIMS
from scansion.claims.run_claims import run

__all__ = ["CLAIMS", "run"]
