"""What was found, drawn: plain values -> one offline HTML page or picture.  Finding things out is others' work."""
