"""What a person carries and anyone verifies offline.

An HCERT container (``HC1:``, COSE_Sign1, ES256) with two claims of our own: all doses of one
person, or the short-lived verdict for a school. The bytes are described in
``docs/certificate-format.md``. Nothing here does I/O, reads a clock or draws random numbers, and
``certificates.verify`` needs no other package of this house: a verifier takes this folder and
`cryptography`.
"""
