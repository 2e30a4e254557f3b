"""The photos of listings: fetched once, hashed, and not kept."""
