"""What is counted per Route, frontend and endpoint, and under which names it is given."""
