"""What stands before any route: heads, pipelines, connections and strangers, each with its bound."""
