import gc

# Without a threshold garbage spreads over the whole heap before the first collection, and what is
# allocated meanwhile splits the free space for good.
gc.threshold(4096)

from sandbox import app  # noqa: E402

app.run()
