"""The writing side: declaring, being born, counting, forking, ending.

Knows what a program declares and how its file comes into the world and leaves it. Never knows
readers, formats of export, terminals, or what other processes write.
"""
