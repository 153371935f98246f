"""Pure text: no I/O, no clock."""
