"""What a file may cost us, in one table; the README shows it."""

from __future__ import annotations

FILE_BYTES = 64 * 1024 * 1024
"""A List of 10,000 Routes with managedFields has 30 MB."""
FILES = 100_000
"""Files that are read below all directories together."""
DEPTH = 100
"""Nesting of one document; CustomResourceDefinitions, the deepest real objects, have about 50."""
ALIASED_VALUES = 100_000
"""Values that the aliases of one document stand for, all told: what makes a "billion laughs"
bomb is that a few bytes stand for billions of them."""
PROBLEMS = 100
"""Problems reported per file; the rest is counted."""
