"""What two families share."""
