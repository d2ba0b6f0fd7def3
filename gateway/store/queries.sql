-- name: try_lock
-- Take a lock until the session ends, unless another session has it.
SELECT pg_try_advisory_lock(%(lock)s) AS mine;

-- name: lock_session
-- Wait for a lock, and keep it until the session ends.
SELECT pg_advisory_lock(%(lock)s);

-- name: hold
-- Wait for a lock, and keep it until the transaction ends.
SELECT pg_advisory_xact_lock(%(lock)s);

-- name: hold_key
-- Wait for the lock of one key, and keep it until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, %(lock)s));
