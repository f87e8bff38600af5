"""Write-side schema: numbered plain SQL, applied once each, in order, forward only; functions whole in functions/."""
