"""`make demo`: the whole thing on one screen, and every line of it checked.

`scene` sets up and takes down, `manual` is the AWS sample's walkthrough, `automatic` lets the
board run jobs by itself; `stage` prints, `board_view` and `aws_cli` are what is watched.
"""
