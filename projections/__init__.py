"""What we show: read models, one folder each: tables and rule in project.py, questions in queries.py."""
