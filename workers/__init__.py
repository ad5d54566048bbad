"""Long-running processes beside the API: each can be killed at any moment and started again."""
