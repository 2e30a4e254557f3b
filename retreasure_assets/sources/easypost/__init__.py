"""EasyPost: where parcels are, for any carrier.

What belongs here: reading trackers and declaring what they are. What does not: what a carrier's word means; silver's
table of tracking statuses says that, for EasyPost as for the providers that come as dropped files.
"""
