"""What happens to every request, whatever its route: who calls, how often, how much, and how errors are told."""
