"""Makes things in a cloud, with their identities on this computer, and takes them away again.

`making` provisions, `teardown` removes what was made, `record` keeps in mind what that is, `batch`
names many things, `listing` shows them; `calls` is the only way to the cloud.
"""

from host_tools.identity import identity, provisioned
from host_tools.provision.making import Given, plan, provision

__all__ = ["Given", "identity", "plan", "provision", "provisioned"]
