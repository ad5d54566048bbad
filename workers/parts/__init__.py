"""What each worker is made of, a module each: a process imports only what it runs."""
