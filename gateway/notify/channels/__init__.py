"""The networks a notice can go out on."""
