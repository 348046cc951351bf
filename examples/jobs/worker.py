"""Does job after job: the text in capital letters. One that it had begun and not done is done again."""

from store import Store, notify


def main() -> None:
    """Works until it is ended."""
    store = Store()
    while store.ask("RPOPLPUSH", "doing", "jobs") is not None:
        pass
    notify("READY=1", "STATUS=waits for jobs")
    while True:
        job = store.ask("BRPOPLPUSH", "jobs", "doing", "1")
        if job is not None:
            store.ask("LPUSH", "done", job.upper())
            store.ask("LREM", "doing", "1", job)
        notify("WATCHDOG=1")


if __name__ == "__main__":
    main()
