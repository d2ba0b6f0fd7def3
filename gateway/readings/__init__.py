"""The store of readings: kept once, by unit, metric and time; read as charts and exports."""
