"""The rules of the electronic certificate as configuration, and every question one may ask of them.

Who may claim, to whom a holder may grant, what a certificate shows and from when, what its code
opens at a clinic, and when paper is still needed (C-1 to C-28). Dates, cities and sentences are a
rule file; claims and grants are decided by the policies and the aggregate that writes go through.
"""
