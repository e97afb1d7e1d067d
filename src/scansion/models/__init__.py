"""What was learned, as frozen values: scores, vectors, folders; and what runs them."""
