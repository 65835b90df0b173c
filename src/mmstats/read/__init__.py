"""Knows: finding, opening, judging who lives.

Never knows: who asks, what it is for, how it will look; and it never writes a byte.
"""
