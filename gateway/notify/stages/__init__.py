"""The stages between an alarm and its record, a file each. They decide; nothing else is done in them but `record`."""
