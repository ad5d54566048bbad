"""Forms as they leave the house: PDF with a font of our own, and workbooks.

The same values give the same bytes. What stands on a form is decided by those who call.
"""
