"""The product's version: shown by `gatewayz version`, /health and the OpenAPI document."""

VERSION = "0.1.0"
