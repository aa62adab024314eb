"""The clouds a board can be used with: the local IoT Core, run here, and AWS itself.

`local` starts, finds and stops the local one; `access` gives any command clients, credentials and
the MQTT endpoint of the cloud in use; `server` is the process the local one runs in; `rules` makes
it as strict as AWS where MiniStack is not.
"""
