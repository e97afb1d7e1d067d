"""What a model sees, as text or one offline page."""
