"""The composition root: what the siblings do not know of each other is put together here, into three roles."""
