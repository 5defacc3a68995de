"""The core: decides and records. It knows no web, no queue, no mail and no settings."""
