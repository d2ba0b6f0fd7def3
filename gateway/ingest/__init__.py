"""The road of a reading: from the broker into the store, judged on the way, and acknowledged after the commit.

`ingest.py` is the loop. It calls, in this order: devices.py (whose message), batch.py (columns), judging.py (rules),
commit.py (one transaction, over the connection of writer.py), saves.py (the rule state, now and then).
"""
