"""A simulated fleet of connected products; it uses only MQTT and the HTTP API of the gateway."""
