"""Long work in the background (后台任务): asked for on a page, done by the clock process.

`protocol.py` says what a kind of job is, `kinds.py` lists them, `queue.py` holds whose turn it is,
`work.py` does them.
"""
