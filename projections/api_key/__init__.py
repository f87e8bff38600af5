"""Keys as the gateway looks them up: by secret hash, with settings, spend and the standing of their account."""
