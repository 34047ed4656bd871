"""logmap's own test harness: real tools run on what `logmap generate` wrote.  Start at __main__.py."""
