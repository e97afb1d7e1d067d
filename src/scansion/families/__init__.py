"""One file a family: what lets one position look at another."""
