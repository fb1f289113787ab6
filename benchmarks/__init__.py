"""Benchmarks: each module measures one thing and writes its report next to itself, as JSON."""
