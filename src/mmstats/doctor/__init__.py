"""`python -m mmstats doctor`: why a number is not there.

Knows: every room, as it asks the writer's and the reader's what they would do here, now.
Never knows: a way of its own to do any of it; and it leaves nothing behind.
"""
