"""Knows: what the dead leave, how it is added up, and how that is made true exactly once.

Never knows: who reads it, who publishes, how it is shown.
"""
