"""What we show: read models, one folder each: tables in schema.sql, the rule in project.py, questions in queries.py."""
