"""A simulated province that lives: its clinics and schools write over HTTP, at a chosen pace."""
