"""What people who know Hugging Face's libraries type, and what comes of it."""
