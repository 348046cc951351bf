"""What a rendered script of any cluster product runs: a whole logical host, or one suite, through the agent's actions.

`python -m bansho.cluster.adapter PRODUCT NAME ACTION [SUITE]`; the return value is the product's (conventions.py).
"""
