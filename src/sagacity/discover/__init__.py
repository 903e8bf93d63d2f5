"""Workflows learnt from history.

What is counted, and where, is `sagacity.ledger.mining`: queries over all events. Here is what follows from the counts,
and nothing here has a clock, chance, input or output:

| module | holds |
|---|---|
| `fields.py`, `outline.py` | which fields of raw records are type, time, id and key; the workflow that takes them in,
without rules |
| `relations.py` | which templates hold, at a threshold, between which event types |
| `order.py` | which of these are worth saying, given the others: transitive reduction and implication |
| `spans.py` | deadlines from how long things take |
| `values.py`, `branches.py` | equalities and sums; conditions that explain an optional event |
| `proposal.py`, `compose.py` | rules with their evidence, and the choice of them |
| `writing.py` | the workflow file, each rule with its evidence |
| `keys.py` | candidate correlation keys |
| `accepting.py` | the file of what was accepted of a proposal |
| `known.py`, `inserting.py` | what a workflow that is there says already; lines put into its file |
| `drift_series.py`, `drift_kinds.py`, `drift_parting.py`, `drift.py` | what is counted by period; how each kind of it is
compared and told; where it becomes otherwise; what changed |
| `standing.py` | the same of a live ledger |
"""
