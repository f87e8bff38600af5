"""What each port promises: one suite a port, passed by its fake and by its real adapter."""
