"""What is declared once: fields with bounds and texts, parts known by name, and the checks that follow from them."""
