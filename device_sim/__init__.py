"""A simulated fleet of connected products that speaks MQTT, and nothing else of the gateway."""
