"""Write-side schema: numbered plain SQL, applied once each, in order, forward only."""
