"""Channel `push`: Firebase Cloud Messaging."""
