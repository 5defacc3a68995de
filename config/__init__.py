"""Settings, log set-up and deployment files. A leaf: it imports nothing of ours."""
