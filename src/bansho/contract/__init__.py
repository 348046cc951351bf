"""What a cluster may ask of a logical host: return values, verdicts, states, limits. Pure; no I/O.

One module a table of CONTRACT.md: `operation` (3.2), `imdatabase` (3.3), `eventservice` (`jevstat`),
`termination` (3.4); `states` says when each value of 3.2 holds; `verdicts` is what a cluster concludes.
"""
