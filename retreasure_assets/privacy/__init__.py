"""Privacy: the vault of identities and keys, sealing of raw records, masking of what everyone may read.

What belongs here: everything that touches a person's identity or a key. What does not: tables and files of the
lake, which only ever receive masked or sealed bytes.
"""
