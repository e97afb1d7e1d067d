"""Every family on the same data with the same seeds: rows, tests, verdict, report."""
