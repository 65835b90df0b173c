"""Knows: arithmetic of kinds, over snapshots.

Never knows: where snapshots came from, what clock ticked, how the result is shown.
"""
