"""What we show: read models, one folder each: tables and rule in project.py, queries in queries.py."""
