"""MQTT in and out: the only importer of paho. In: receive, decode to columns, know redeliveries, acknowledge."""
