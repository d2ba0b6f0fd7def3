"""The store of readings: one value for each unit, metric and time; read for charts and exports."""
