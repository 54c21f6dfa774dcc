"""What a contact center does with its calls, beside the desk."""
