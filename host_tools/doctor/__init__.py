"""One look at host, board and cloud: what works, what does not, why, and what to do about it.

`check` is what a check says; `host`, `board` and `cloud` have the checks of one world each;
`facts` asks the board without disturbing it; `authorization` asks what the policies allow;
`examination` does it all; `bundle` writes it down for a bug report.
"""

from host_tools.doctor.check import Check, Verdict
from host_tools.doctor.examination import Examination, examine

__all__ = ["Check", "Examination", "Verdict", "examine"]
