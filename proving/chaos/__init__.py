"""Load, faults and proof: kills parts of a running instance while clients step, and checks what they saw."""
