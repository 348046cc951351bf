"""Start, stop, reload and forced termination: their two values (CONTRACT 3.1 and 3.4).

0 from start and stop also stands for "still under way": only monitoring decides.
"""

NORMAL = 0
ARGUMENT_ERROR = 1

NOTHING_LEFT = 0
SOMETHING_LEFT = 1
