"""What fetching from the web stands on. Begin with `public`: which addresses may be connected to."""
