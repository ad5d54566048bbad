"""What a vaccination record is: aggregates, events and policies.

Pure: no input or output, no clock, no randomness, no keys. Days, identifiers and facts that a
policy must know come in as arguments. Refusals are `domain.errors.DomainError`.
"""
