"""The benchmark of Atelier's engine. `bench/README.md` says what is measured and how."""
