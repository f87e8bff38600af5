"""The product's version: what `gatewayz version`, /health and the OpenAPI document say."""

VERSION = "0.1.0"
