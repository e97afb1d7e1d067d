"""The two ways to learn: convex and gradient."""
