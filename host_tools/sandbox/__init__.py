"""The sandbox as the AWS sample runs it: no board at hand, any IoT endpoint, credentials in files.

`credentials` reads what the user has, `private_board` lends a virtual board for the time of a
command, `place` finds what an endpoint means.
"""
