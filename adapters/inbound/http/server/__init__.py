"""Bodies, headers, answers and streams of any route, each with its bound."""
