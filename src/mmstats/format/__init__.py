"""Knows: where each byte is and what it means.

Never knows: files, mappings, processes, threads, time, which twin runs.
"""
