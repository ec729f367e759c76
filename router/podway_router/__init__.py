"""podway-router: Routes, matching tables and the two front ends in front of the pods."""
