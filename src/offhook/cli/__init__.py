"""The command line: serve, call, doctor, models, version. A door; decides nothing about calls."""
