"""The points of a sweep: what a sweep file may say of them, and their numbers."""
