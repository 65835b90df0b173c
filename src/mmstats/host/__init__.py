"""Knows: what this machine and this process are, and where files go.

Never knows: what is in the files.
"""
