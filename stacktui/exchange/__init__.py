"""An environment and its identity in the forms of other clients: text out, and text in.

Its own room, as a form needs both an environment and an identity. Nothing here uses the network.
"""
