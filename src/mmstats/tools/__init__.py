"""Knows: people; argv, keys, sockets, exit codes.

Never knows: offsets, struct codes, memory ordering.
"""
