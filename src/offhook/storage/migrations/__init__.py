"""Steps that bring a database to the shape of `storage/tables.py`; run at start, never by hand."""
